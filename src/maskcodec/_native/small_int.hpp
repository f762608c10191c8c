// Python integers of one digit, the usual case, without a call.
#pragma once
#include <Python.h>

namespace maskcodec {

// True and the value when `object` is an int of one digit.
inline bool small_int(PyObject* object, long long* value) noexcept {
  if (!PyLong_CheckExact(object)) return false;
#if defined(PYPY_VERSION) || defined(Py_LIMITED_API) || defined(GRAALVM_PYTHON)
  return false;
#elif PY_VERSION_HEX >= 0x030C0000
  auto* number = reinterpret_cast<PyLongObject*>(object);
  if (!PyUnstable_Long_IsCompact(number)) return false;
  *value = PyUnstable_Long_CompactValue(number);
  return true;
#else
  const Py_ssize_t digits = Py_SIZE(object);
  if (digits < 0 || digits > 1) return false;
  *value = digits == 0 ? 0 : reinterpret_cast<PyLongObject*>(object)->ob_digit[0];
  return true;
#endif
}

// A new list of n integers; null with the error set when memory ran out.
template <class T>
PyObject* int_list(const T* values, Py_ssize_t n) noexcept {
  PyObject* list = PyList_New(n);
  if (!list) return nullptr;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* number = PyLong_FromLongLong(static_cast<long long>(values[i]));
    if (!number) {
      Py_DECREF(list);
      return nullptr;
    }
    PyList_SET_ITEM(list, i, number);
  }
  return list;
}

}  // namespace maskcodec
