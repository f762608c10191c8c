// The value of a key in a dict, held: another thread may take it out of the dict at any time.
#pragma once
#include <Python.h>

namespace maskcodec {

// A new reference to dict[key], or to `missing` when there is none. Never null: an error in looking counts as missing.
inline PyObject* dict_item(PyObject* dict, PyObject* key, PyObject* missing) noexcept {
  PyObject* value = nullptr;
#if PY_VERSION_HEX >= 0x030D0000
  if (PyDict_GetItemRef(dict, key, &value) < 0) PyErr_Clear();
#else
  value = PyDict_GetItemWithError(dict, key);
  if (value) Py_INCREF(value);
  else PyErr_Clear();
#endif
  if (value) return value;
  Py_INCREF(missing);
  return missing;
}

}  // namespace maskcodec
