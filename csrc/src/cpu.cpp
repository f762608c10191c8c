#include "maskcodec/cpu.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "maskcodec/kernels.hpp"

#if (defined(__x86_64__) || defined(_M_X64)) && (defined(__GNUC__) || defined(__clang__))
#define MC_DISPATCH 1
#else
#define MC_DISPATCH 0
#endif

namespace maskcodec {

namespace baseline {
extern const Kernels table;
}
#if MC_DISPATCH
namespace avx2 {
extern const Kernels table;
}
namespace avx512 {
extern const Kernels table;
extern const CountsKernels counts_table;
}
#endif

namespace {

bool has(Level l) noexcept {
#if MC_DISPATCH
  __builtin_cpu_init();
  if (l == Level::avx2) return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
  if (l == Level::avx512)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2");
#endif
  return l == Level::baseline;
}

bool parse(const char* name, Level& out) noexcept {
  static constexpr const char* names[] = {"baseline", "avx2", "avx512"};
  for (int i = 0; i < 3; ++i)
    if (std::strcmp(name, names[i]) == 0) {
      out = static_cast<Level>(i);
      return true;
    }
  return false;
}

Level choose() noexcept {
  Level wanted;
  const char* forced = std::getenv("MASKCODEC_SIMD");
  if (forced && parse(forced, wanted) && has(wanted)) return wanted;
  if (has(Level::avx512)) return Level::avx512;
  return has(Level::avx2) ? Level::avx2 : Level::baseline;
}

std::atomic<int>& current() noexcept {
  static std::atomic<int> value{static_cast<int>(choose())};
  return value;
}

}  // namespace

Level level() noexcept { return static_cast<Level>(current().load(std::memory_order_relaxed)); }

const char* level_name() noexcept {
  switch (level()) {
    case Level::avx2: return "avx2";
    case Level::avx512: return "avx512";
    default: return "baseline";
  }
}

bool force_level(const char* name) noexcept {
  Level wanted;
  if (!parse(name, wanted) || !has(wanted)) return false;
  current().store(static_cast<int>(wanted), std::memory_order_relaxed);
  return true;
}

const Kernels& kernels() noexcept {
  switch (level()) {
#if MC_DISPATCH
    case Level::avx2: return avx2::table;
    case Level::avx512: return avx512::table;
#endif
    default: return baseline::table;
  }
}

const CountsKernels& counts_kernels() noexcept {
  static constexpr CountsKernels none = {nullptr, nullptr};
#if MC_DISPATCH
  static const bool compresses = has(Level::avx512) && __builtin_cpu_supports("avx512vbmi") &&
                                 __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("popcnt");
  if (compresses && level() == Level::avx512) return avx512::counts_table;
#endif
  return none;
}

}  // namespace maskcodec
