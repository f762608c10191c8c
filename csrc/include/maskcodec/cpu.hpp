// Run-time choice of the instruction level. Results never depend on it, only speed does.
#pragma once

namespace maskcodec {

enum class Level { baseline = 0, avx2 = 1, avx512 = 2 };

// The level in use: the best that the machine has and the build holds, or the one that the environment variable
// MASKCODEC_SIMD (baseline, avx2, avx512) names, read once. A level that the machine lacks is never chosen.
Level level() noexcept;
const char* level_name() noexcept;
// Forces a level, for tests and benchmarks; false (and nothing changes) when the machine or the build lacks it.
bool force_level(const char* name) noexcept;

}  // namespace maskcodec
