// Runs every test of the core; the exit status tells whether all checks held.
#include <cstdio>

#include "column_tests.hpp"
#include "png_tests.hpp"
#include "raster_tests.hpp"
#include "run_tests.hpp"

int main() {
  const int failed = run_column_tests() + run_raster_tests() + run_run_tests() + run_png_tests();
  std::printf(failed == 0 ? "core tests passed\n" : "core tests failed: %d checks\n", failed);
  return failed == 0 ? 0 : 1;
}
