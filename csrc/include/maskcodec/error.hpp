// Errors of the core. The bindings turn each into a Python exception (see translate.hpp).
#pragma once
#include <cstddef>
#include <stdexcept>
#include <string>

namespace maskcodec {

// Encoded data that breaks its grammar; `offset` is the position (character, list element) where that was seen.
class DecodeError : public std::runtime_error {
 public:
  DecodeError(const std::string& what, std::size_t offset) : std::runtime_error(what), offset_(offset) {}
  std::size_t offset() const noexcept { return offset_; }

 private:
  std::size_t offset_;
};

// Sizes that are impossible, too large, or do not fit each other.
class ShapeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A number outside what the operation can represent (ids beyond 24 bits, coordinates that are not finite, ...).
class RangeError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace maskcodec
