// The check of the core's tests: names the place that does not hold and counts it in the `failures` of its file.
#pragma once

#include <cstdio>

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      ++failures;                                                               \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);      \
    }                                                                           \
  } while (false)
