// The C++ exception in flight -> a Python exception set on the interpreter. Call it inside a catch handler, with the GIL held.
//
// DecodeError becomes maskcodec.errors.DecodeError(message, offset=...), sizes and ranges ValueError, wrong kinds of argument
// (std::invalid_argument) TypeError, a failed allocation MemoryError. An exception that Python has set already is left alone.
#pragma once
#include <Python.h>

#include <cstddef>
#include <exception>
#include <new>
#include <stdexcept>

#include "maskcodec/error.hpp"

namespace maskcodec {

inline void set_decode_error(const char* message, std::size_t offset) {
  PyObject* module = PyImport_ImportModule("maskcodec.errors");
  PyObject* type = module ? PyObject_GetAttrString(module, "DecodeError") : nullptr;
  PyObject* args = type ? Py_BuildValue("(s)", message) : nullptr;
  PyObject* kwargs = args ? Py_BuildValue("{s:n}", "offset", static_cast<Py_ssize_t>(offset)) : nullptr;
  PyObject* error = kwargs ? PyObject_Call(type, args, kwargs) : nullptr;
  if (error) PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(error)), error);  // otherwise the failure itself is set
  Py_XDECREF(error);
  Py_XDECREF(kwargs);
  Py_XDECREF(args);
  Py_XDECREF(type);
  Py_XDECREF(module);
}

inline void translate_current() {
  if (PyErr_Occurred()) return;
  try {
    throw;
  } catch (const DecodeError& e) {
    set_decode_error(e.what(), e.offset());
  } catch (const ShapeError& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  } catch (const RangeError& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::length_error&) {  // a container asked for more than any machine has
    PyErr_NoMemory();
  } catch (const std::invalid_argument& e) {
    PyErr_SetString(PyExc_TypeError, e.what());
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  } catch (...) {
    PyErr_SetString(PyExc_RuntimeError, "unknown error in the native core");
  }
}

}  // namespace maskcodec
