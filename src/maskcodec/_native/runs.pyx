# cython: language_level=3, wraparound=False, freethreading_compatible=True
"""Masks as run lengths: ``Rle`` (one mask), ``RleArray`` (many), and the functions of ``maskcodec.compat.mask``.

This file binds; the arithmetic is in ``csrc/``. Input is read in ``parse.pxi``: every run list that enters, in whatever
form, goes through one of the functions there, and they all check it completely.

No function keeps state between calls, so the module runs without the GIL. Positions in lists stay checked: what a number's
``__index__`` does, or another thread, may shorten the list that is being read.
"""
cimport cython
cimport numpy as cnp
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.float cimport PyFloat_AS_DOUBLE
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from libcpp.utility cimport move
from libcpp.vector cimport vector

from maskcodec._native.core cimport *

import os
import sys

import numpy as np

from maskcodec.errors import DecodeError

cnp.import_array()

cdef extern from "Python.h":
    const char* PyUnicode_AsUTF8AndSize(object, Py_ssize_t*) except NULL
    object PyUnicode_New(Py_ssize_t, Py_UCS4)
    void* PyUnicode_DATA(object)

cdef extern from "numpy/arrayobject.h":
    int PyArray_SetBaseObject(cnp.ndarray, object) except -1
    void PyArray_CLEARFLAGS(cnp.ndarray, int)
    bint PyArray_ISALIGNED(cnp.ndarray)
    bint PyArray_ISNOTSWAPPED(cnp.ndarray)
    bint PyArray_ISWRITEABLE(cnp.ndarray)
    object PyArray_Scalar(void*, cnp.dtype, object)


cdef class _RleOps
cdef class Rle(_RleOps)
cdef class _RleArrayOps
cdef class RleArray(_RleArrayOps)

include "parse.pxi"
include "rle_ops.pxi"
include "rle.pxi"
include "array_ops.pxi"
include "array.pxi"
include "hasty.pxi"
include "compat.pxi"


def simd_level(str force=None):
    """Return the instruction level in use; with ``force`` switch to it first (ValueError when it is not available)."""
    if force is not None and not force_level(force.encode()):
        raise ValueError(f"instruction level {force!r} is not available here")
    return level_name().decode()
