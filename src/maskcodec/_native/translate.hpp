// The current C++ exception -> the Python exception that users see. Used by both extensions, the only place that knows.
#pragma once
#include <Python.h>

#include <new>
#include <stdexcept>

#include "maskcodec/error.hpp"

namespace maskcodec {

inline void set_decode_error(const char* message, std::size_t offset) {
  PyObject* module = PyImport_ImportModule("maskcodec.errors");
  if (!module) return;
  PyObject* type = PyObject_GetAttrString(module, "DecodeError");
  Py_DECREF(module);
  if (!type) return;
  PyObject* error = PyObject_CallFunction(type, "sn", message, static_cast<Py_ssize_t>(offset));
  if (error) {
    PyErr_SetObject(type, error);
    Py_DECREF(error);
  }
  Py_DECREF(type);
}

inline void translate_current() {
  try {
    if (PyErr_Occurred()) return;  // raised by Python code called from C++
    throw;
  } catch (const DecodeError& e) {
    set_decode_error(e.what(), e.offset());
  } catch (const ShapeError& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  } catch (const RangeError& e) {
    PyErr_SetString(PyExc_ValueError, e.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::length_error&) {
    PyErr_NoMemory();  // a container asked for more than there can be
  } catch (const std::invalid_argument& e) {
    PyErr_SetString(PyExc_TypeError, e.what());
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  } catch (...) {
    PyErr_SetString(PyExc_RuntimeError, "unknown C++ exception");
  }
}

}  // namespace maskcodec
