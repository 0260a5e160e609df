"""Arrays, tensors and lists of any library as numbers, without importing one that is not there.

NumPy is imported only where what was given is an array of some library already.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from anonrun.client.media.content import Unloggable
from anonrun.core.metrics import to_float

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["as_array", "is_tensor", "numbers_in", "plain_list"]

_MOST_DEPTH = 8
_MOST_NUMBERS = 50_000_000  # of what need not end, such as a generator


def is_tensor(value: object) -> bool:
    """Return whether `value` is a tensor of PyTorch, whose pictures have their channels first."""
    return callable(getattr(value, "detach", None)) and callable(getattr(value, "numpy", None))


def as_array(value: object) -> npt.NDArray[Any] | None:
    """Return an array or tensor of any library as NumPy's; None where `value` is none.

    Raises:
        Unloggable: the library refuses.
    """
    shape = getattr(value, "shape", None)
    if shape is None or not (hasattr(value, "__array__") or is_tensor(value)):
        return None
    import numpy as np  # noqa: PLC0415  whoever has an array has it loaded

    try:
        if is_tensor(value):
            value = _of_tensor(value)
        array = np.asarray(value)
        return array.astype(np.float32) if array.dtype.kind == "V" else array  # JAX's bfloat16 is of kind V
    except Exception as exc:  # noqa: BLE001  any library's refusal means the same
        raise Unloggable(f"The {type(value).__name__} could not be read ({exc}); give a NumPy array.") from None


def _of_tensor(tensor: Any) -> Any:  # noqa: ANN401  PyTorch need not be there
    values = tensor.detach().cpu()
    return values.float() if "bfloat16" in str(values.dtype) else values  # which NumPy does not know


def plain_list(values: object, what: str) -> list[Any]:
    """Return a sequence, array or other iterable as a list of Python's own values.

    Raises:
        Unloggable: it is none; `what` names it.
    """
    array = as_array(values)
    if array is not None:
        listed = array.tolist()
        if not isinstance(listed, list):
            raise Unloggable(f"{what} is a single value; give a list.")
        return listed
    if isinstance(values, (str, bytes, bytearray, Mapping)) or not isinstance(values, Iterable):
        raise Unloggable(f"{what} is a {type(values).__name__}; give a list or an array.")
    try:
        listed = list(itertools.islice(values, _MOST_NUMBERS))
    except Exception as exc:  # noqa: BLE001  what iterates is the user's
        raise Unloggable(f"{what} could not be read ({exc!r}); give a list or an array.") from None
    return [item.tolist() if hasattr(item, "tolist") and hasattr(item, "shape") else item for item in listed]


def numbers_in(values: object, what: str) -> tuple[list[float], int] | npt.NDArray[np.float64]:
    """Return all numbers in `values`, however nested: of an array as a flat one, else as a list.

    Returns:
        The numbers; a list comes with how many entries were no numbers.

    Raises:
        Unloggable: there are no numbers to be had.
    """
    array = as_array(values)
    if array is not None and array.dtype.kind in "biuf":
        return array.ravel().astype("float64")
    if array is None and (isinstance(values, (str, bytes, bytearray, Mapping)) or not isinstance(values, Iterable)):
        raise Unloggable(f"{what} is a {type(values).__name__}; give a list or an array of numbers.")
    found: list[float] = []
    strange = 0
    try:
        for number in _flat(values if array is None else array.tolist(), 0):
            if number is None:
                strange += 1
            else:
                found.append(number)
    except Exception as exc:  # noqa: BLE001  what iterates is the user's
        raise Unloggable(f"{what} could not be read ({exc!r}); give a list or an array of numbers.") from None
    return found, strange


def _flat(values: Any, depth: int) -> Iterator[float | None]:  # noqa: ANN401  the user's values
    for value in itertools.islice(values, _MOST_NUMBERS):
        if type(value) is float:
            yield value
        elif type(value) is int:
            yield to_float(value)
        elif isinstance(value, (str, bytes, Mapping)) or value is None:
            yield None
        else:
            number = to_float(value)
            if number is None and isinstance(value, Iterable) and depth < _MOST_DEPTH:
                yield from _flat(value, depth + 1)
            else:
                yield number
