// Work on several threads. Threads live for one call only, so a process may fork between calls.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace maskcodec {

// 0 asks for as many threads as the machine has.
inline unsigned resolve_threads(unsigned threads, std::size_t tasks) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::min<std::size_t>(threads, std::max<std::size_t>(1, tasks)));
}

// Calls work(i) for i in 0..tasks-1, in no order, on `threads` threads. Of several exceptions the one with
// the lowest i is thrown again here, so that what is reported does not depend on the number of threads: tasks are handed
// out in ascending order, so all below a failing one have been started.
template <class Work>
void parallel_for(std::size_t tasks, unsigned threads, Work&& work) {
  threads = resolve_threads(threads, tasks);
  if (threads == 1) {
    for (std::size_t i = 0; i < tasks; ++i) work(i);
    return;
  }
  std::atomic<std::size_t> next{0};
  std::exception_ptr error;
  std::size_t failed = tasks;
  std::mutex guard;
  auto loop = [&] {
    for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < tasks;) {
      try {
        work(i);
      } catch (...) {
        next.store(tasks, std::memory_order_relaxed);
        const std::lock_guard<std::mutex> lock(guard);
        if (i < failed) {
          failed = i;
          error = std::current_exception();
        }
        return;
      }
    }
  };
  std::vector<std::thread> pool;
  pool.reserve(threads - 1);
  try {
    for (unsigned t = 1; t < threads; ++t) pool.emplace_back(loop);
  } catch (...) {
    // No more threads to be had: the ones that started, and this one, do the work.
  }
  loop();
  for (std::thread& t : pool) t.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace maskcodec
