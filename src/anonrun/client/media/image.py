"""Pictures: from arrays, tensors, Pillow, matplotlib, files and bytes, to a PNG, JPEG or WebP that is small enough.

What is a PNG, JPEG or WebP already, and small enough, is stored byte by byte. Everything else becomes a PNG, and a JPEG
or WebP where the PNG would be too large. Pillow is loaded when the first picture is made.
"""

from __future__ import annotations

import base64
import io
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonrun.client.media.arrays import as_array, is_tensor
from anonrun.client.media.content import Content, Media, Unloggable, caption_of
from anonrun.client.settings import refuse_unknown
from anonrun.core.media import MAX_CONTENT_BYTES, MediaKind
from anonrun.core.words import counted

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import PIL.Image

__all__ = ["MAX_SIDE", "Image", "is_pil", "is_plot"]

MAX_SIDE = 2048
"""Of a picture, in pixels."""
_MOST_PIXELS = 64 << 20
_MOST_FILE_BYTES = 256 << 20
_QUALITIES = (90, 75, 50)
_SMALLEST_SIDE = 64
_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_MODES = frozenset({"L", "LA", "RGB", "RGBA", "P", "1"})
_IGNORED = frozenset({"classes", "boxes", "masks", "grouping", "file_type"})


def is_pil(value: object) -> bool:
    """Return whether `value` is a picture of Pillow."""
    return any(kind.__module__.startswith("PIL.") and kind.__name__ == "Image" for kind in type(value).__mro__)


def is_plot(value: object) -> bool:
    """Return whether `value` is something of matplotlib that has a figure: a figure, axes, or `pyplot` itself."""
    return _figure_of(value) is not None


class Image(Media):
    """A picture.

    Args:
        data: an array or tensor of height × width, with 1 (grey), 2 (grey and alpha), 3 (RGB) or 4 (RGBA) channels,
            which are last, or first as PyTorch has them; a picture of Pillow; a figure of matplotlib; the path of a
            file, or its bytes. Integers are 0 … 255, floats 0 … 1; what has negative values is stretched to that range
            first, and floats beyond 1 are taken for 0 … 255.
        caption: said below it.
        mode: as Pillow names them, for an array; None takes it from the channels.
        normalize: whether values are brought into range as above; False takes them as 0 … 255.
        ignored: other arguments of wandb.Image, which mean nothing here.

    Example:
        >>> import numpy as np
        >>> Image(np.zeros((28, 28)), caption="nothing")
        <anonrun.Image 28×28 'nothing'>
    """

    def __init__(
        self,
        data: object,
        caption: object = None,
        mode: str | None = None,
        *,
        normalize: bool = True,
        **ignored: Any,  # noqa: ANN401  the user's values
    ) -> None:
        refuse_unknown((name for name in ignored if name not in _IGNORED), {*_IGNORED, "caption"}, "anonrun.Image")
        self._caption = caption_of(caption)
        self._notes = [f"Image({name}=...) means nothing to anonrun and is ignored." for name in sorted(ignored)]
        self._file: bytes | None = None  # what is stored as it is
        self._type = ""
        self._picture: PIL.Image.Image | None = None
        self._size = (0, 0)
        self._problem = ""
        try:
            self._take(data, mode, normalize=normalize)
        except Unloggable as exc:
            self._problem = str(exc)
        except Exception as exc:  # noqa: BLE001  Pillow, matplotlib and NumPy have many ways to refuse
            self._problem = f"The picture cannot be read: {str(exc) or type(exc).__name__}."

    def content(self) -> Content:
        """See `Media.content`."""
        if self._problem:
            raise Unloggable(self._problem)
        notes = list(self._notes)
        if self._file is not None:
            data, content_type = self._file, self._type
        else:
            assert self._picture is not None, "one of the two is there"
            try:
                data, content_type, note = _encoded(self._picture)
            except (OSError, ValueError) as exc:
                raise Unloggable(f"The picture cannot be written as a PNG: {exc}.") from None
            notes += [note] if note else []
        text = base64.b64encode(data).decode("ascii")
        return Content(MediaKind.IMAGE, content_type, text, self._caption, tuple(notes))

    def __repr__(self) -> str:
        if self._problem:
            return f"<anonrun.Image: {self._problem}>"
        said = f" {self._caption!r}" if self._caption else ""
        return f"<anonrun.Image {self._size[0]}×{self._size[1]}{said}>"

    def _take(self, data: Any, mode: str | None, *, normalize: bool) -> None:  # noqa: ANN401  the user's values
        figure = _figure_of(data)
        if figure is not None:
            self._take_bytes(_drawn(figure))
        elif isinstance(data, (bytes, bytearray, memoryview)):
            self._take_bytes(bytes(data))
        elif isinstance(data, (str, os.PathLike)):
            self._take_bytes(_read(Path(data)))
        elif is_pil(data):
            self._take_picture(data)
        else:
            array = as_array(data)
            if array is None:
                raise Unloggable(
                    f"An Image is made of an array, a picture, a figure, a path or bytes, and not of a "
                    f"{type(data).__name__}."
                )
            self._take_array(array, mode, normalize=normalize, channels_first=is_tensor(data))

    def _take_bytes(self, data: bytes) -> None:
        from PIL import Image as Pil  # noqa: PLC0415  see the module's docstring
        from PIL import ImageOps  # noqa: PLC0415  likewise

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's about size; ours is a refusal
            picture = Pil.open(io.BytesIO(data))
        _check_size(picture.size)
        as_it_is = picture.format in _TYPES and len(data) <= MAX_CONTENT_BYTES and max(picture.size) <= MAX_SIDE
        picture.load()
        if as_it_is:
            self._file, self._type, self._size = data, _TYPES[str(picture.format)], picture.size
        else:
            self._take_picture(ImageOps.exif_transpose(picture))  # a camera held upright says so beside the pixels

    def _take_picture(self, picture: PIL.Image.Image) -> None:
        _check_size(picture.size)
        self._size = picture.size
        if picture.mode in _MODES:
            self._picture = picture.copy()
        elif picture.mode.startswith("I") or picture.mode == "F":
            import numpy as np  # noqa: PLC0415  depths that Pillow does not convert well itself

            self._take_array(np.asarray(picture), None, normalize=True, channels_first=False)
        else:
            self._picture = picture.convert("RGB")

    def _take_array(self, array: npt.NDArray[Any], mode: str | None, *, normalize: bool, channels_first: bool) -> None:
        from PIL import Image as Pil  # noqa: PLC0415  see the module's docstring

        pixels = _with_channels_last(array, channels_first=channels_first)
        _check_size((pixels.shape[1], pixels.shape[0]))
        scaled, left_out = _in_bytes(pixels, normalize=normalize)
        if left_out:
            self._notes.append(f"{counted(left_out, 'value')} of a picture, NaN or infinite, drawn as 0 or the limit.")
        flat = scaled[:, :, 0] if scaled.shape[2] == 1 else scaled
        kind = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[scaled.shape[2]]
        picture = Pil.frombytes(kind, (flat.shape[1], flat.shape[0]), flat.tobytes())
        self._picture = picture if mode in (None, kind) else picture.convert(mode).convert(_shown(str(mode)))
        self._size = picture.size


def _shown(mode: str) -> str:
    return mode if mode in _MODES else "RGB"


def _figure_of(value: object) -> Any:  # noqa: ANN401  matplotlib need not be there
    """Return the figure of something of matplotlib's, None where it has none."""
    if getattr(value, "__name__", "") == "matplotlib.pyplot" and hasattr(value, "gcf"):
        return value.gcf()
    module = any(kind.__module__.startswith(("matplotlib.", "mpl_toolkits.")) for kind in type(value).__mro__)
    if not module:
        return None
    if callable(getattr(value, "savefig", None)):
        return value
    figure = getattr(value, "figure", None)
    return figure if callable(getattr(figure, "savefig", None)) else None


def _drawn(figure: Any) -> bytes:  # noqa: ANN401  matplotlib need not be there
    width, height = figure.get_size_inches()
    dpi = min(float(figure.dpi), MAX_SIDE / max(float(width), float(height)))
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=dpi)
    return sink.getvalue()


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_FILE_BYTES:
            raise Unloggable(f"{path} is larger than {_MOST_FILE_BYTES:,} bytes; give a smaller picture.")
        return path.read_bytes()
    except OSError as exc:
        raise Unloggable(f"The picture {path} cannot be read: {exc.strerror or exc}.") from None


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if not width or not height:
        raise Unloggable(f"The picture has no pixels: it is {width}×{height}.")
    if width * height > _MOST_PIXELS:
        raise Unloggable(f"The picture has {width:,}×{height:,} pixels; make it smaller, {MAX_SIDE} px a side do.")


def _with_channels_last(array: npt.NDArray[Any], *, channels_first: bool) -> npt.NDArray[Any]:
    shape = array.shape
    while array.ndim > 3 and array.shape[0] == 1:  # noqa: PLR2004  a batch of one
        array = array[0]
    if array.ndim == 2:  # noqa: PLR2004  grey
        return array[:, :, None]
    if array.ndim != 3:  # noqa: PLR2004
        hint = " Of a batch, log a list: [anonrun.Image(x) for x in batch]." if array.ndim > 3 else ""  # noqa: PLR2004
        raise Unloggable(f"A picture has 2 or 3 dimensions; this array's shape is {shape}.{hint}")
    few = (1, 2, 3, 4)
    first, last = array.shape[0] in few, array.shape[2] in few
    if first and (channels_first or not last):
        turned: npt.NDArray[Any] = array.transpose(1, 2, 0)
        return turned
    if not last:
        raise Unloggable(f"A picture has 1 to 4 channels, first or last; this array's shape is {shape}.")
    return array


def _in_bytes(pixels: npt.NDArray[Any], *, normalize: bool) -> tuple[npt.NDArray[np.uint8], int]:
    """Return pixels as 0 … 255, and how many values had to be replaced since they were not finite."""
    import numpy as np  # noqa: PLC0415  it is there, since this is an array

    kind = pixels.dtype.kind
    if kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255), 0
    if kind not in "uif":
        raise Unloggable(f"A picture's values are numbers, and this array's are of type {pixels.dtype}.")
    if pixels.dtype == np.uint8:
        return pixels, 0
    if pixels.dtype == np.uint16 and normalize:
        return (pixels >> 8).astype(np.uint8), 0
    values = pixels.astype(np.float64)
    bad = int(values.size - np.isfinite(values).sum())
    if bad:
        good = values[np.isfinite(values)]
        low, high = (float(good.min()), float(good.max())) if good.size else (0.0, 0.0)
        values = np.nan_to_num(values, nan=max(0.0, low), posinf=high, neginf=low)
    if normalize and values.size:
        low = float(values.min())
        if low < 0:
            values -= low
            high = float(values.max())
            values = values / high if high and np.isfinite(high) else np.zeros_like(values)
            values *= 255
        elif kind == "f" and float(values.max()) <= 1:
            values *= 255
    return np.clip(np.rint(values), 0, 255).astype(np.uint8), bad


def _encoded(picture: PIL.Image.Image) -> tuple[bytes, str, str | None]:
    """Return bytes, their content type, and what had to be done to keep them small."""
    note = None
    if max(picture.size) > MAX_SIDE:
        before = picture.size
        picture = picture.convert(_smooth(picture.mode))
        picture.thumbnail((MAX_SIDE, MAX_SIDE))
        note = f"A picture of {before[0]}×{before[1]} px was made smaller: at most {MAX_SIDE} px a side are kept."
    data = _saved(picture, "PNG")
    if len(data) <= MAX_CONTENT_BYTES:
        return data, "image/png", note
    note = note or f"A picture of {len(data):,} bytes was compressed with loss: {MAX_CONTENT_BYTES:,} are kept of one."
    form, mode = ("WEBP", "RGBA") if picture.mode in ("LA", "RGBA") or _sees_through(picture) else ("JPEG", "RGB")
    picture = picture.convert("L" if picture.mode == "L" else mode)
    while True:
        for quality in _QUALITIES:
            data = _saved(picture, form, quality=quality)
            if len(data) <= MAX_CONTENT_BYTES:
                return data, _TYPES[form], note
        side = max(picture.size) * 3 // 4
        if side < _SMALLEST_SIDE:
            raise Unloggable("The picture cannot be made small enough.")
        picture.thumbnail((side, side))


def _smooth(mode: str) -> str:
    return {"1": "L", "P": "RGBA"}.get(mode, mode)


def _sees_through(picture: PIL.Image.Image) -> bool:
    return picture.mode == "P" and "transparency" in picture.info


def _saved(picture: PIL.Image.Image, form: str, **options: Any) -> bytes:  # noqa: ANN401  Pillow's
    sink = io.BytesIO()
    picture.save(sink, form, **options)
    return sink.getvalue()
