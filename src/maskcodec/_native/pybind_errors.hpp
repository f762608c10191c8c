// What both pybind11 modules say about C++ exceptions: the same as the Cython module, by translate.hpp.
#pragma once
#include <pybind11/pybind11.h>

#include <exception>

#include "translate.hpp"

namespace maskcodec {

inline void translate_exceptions() {
  pybind11::register_local_exception_translator([](std::exception_ptr p) {
    try {
      if (p) std::rethrow_exception(p);
    } catch (const pybind11::error_already_set&) {
      throw;
    } catch (const pybind11::builtin_exception&) {
      throw;
    } catch (...) {
      translate_current();
    }
  });
}

}  // namespace maskcodec
