def encode_hasty(mask):
    """Hasty start, length pairs of a dense mask: what ``Rle.from_mask(mask).to_hasty()`` gives, without column-major runs.

    Args:
        mask: (H, W) array of bool or any integer type, in any layout, which is read in place; non-zero is foreground.

    Returns:
        List of int: start (counted from 1, row-major) and length of every run.

    Raises:
        TypeError: not an array, or of another type.
        ValueError: not 2-D, or more than 2^31-1 pixels.

    Example:
        >>> import numpy as np
        >>> encode_hasty(np.array([[0, 1, 1], [1, 0, 1]], np.uint8))
        [2, 3, 6, 1]
    """
    cdef cnp.ndarray array = plain_array(mask, "mask")
    if array.ndim != 2:
        raise ValueError(f"mask: expected a 2-D array, got {array.ndim}-D")
    # Columns of the transposed mask are rows of this one.
    cdef Runs rows = encode_plane(array, <const char*>cnp.PyArray_DATA(array), 1, 0)
    cdef vector[int64_t] pairs = hasty_pairs(rows.view())
    return int_list(pairs.data(), pairs.size())


def decode_hasty(pairs, shape):
    """The dense mask of Hasty pairs: what ``Rle.from_hasty(pairs, shape).decode()`` gives, without column-major runs.

    Args:
        pairs: flat list or 1-D integer array of start, length pairs, as strict as ``Rle.from_hasty``.
        shape: (height, width) of the area that they describe.

    Returns:
        (H, W) uint8 array of 0 and 1.

    Raises:
        DecodeError: an odd count, a start or length below 1, pairs that overlap or descend or pass the end.
        ValueError: more than 2^31-1 pixels.

    Example:
        >>> decode_hasty([2, 3, 6, 1], (2, 3)).tolist()
        [[0, 1, 1], [1, 0, 1]]
    """
    cdef Shape size = as_shape(shape, "shape")
    check_dense(size, 1)
    cdef vector[int64_t] numbers = as_ints(pairs, "mask")
    cdef Runs rows = hasty_rows(numbers.data(), numbers.size(), size, NULL)
    cdef cnp.npy_intp dims[2]
    dims[0], dims[1] = size.width, size.height
    cdef cnp.ndarray turned = cnp.PyArray_ZEROS(2, dims, cnp.NPY_UINT8, 1)
    put(turned, rows.view(), as_window(None, rows.shape), 1, True)
    return turned.T
