"""Writes vectors.json: results of OpenCV, Pillow and scikit-image on pictures that are made here.

Run at development time only: python3 make_vectors.py > vectors.json
(made with OpenCV 4.6.0, Pillow 9.4.0, scikit-image 0.19.3 of Debian 12)
"""
import base64
import json

import cv2
import numpy as np
from PIL import Image
from skimage.transform import resize


def picture(h, w):
    """A smooth gradient with edges and some noise; the same formula is in the test."""
    y, x, c = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), indexing="ij")
    v = x * (5 + c) + y * (3 + 2 * c) + ((x // 7 + y // 5) % 2) * 90
    noise = (x * 7919 + y * 104729 + c * 1299709) % 17
    return ((v + noise) % 256).astype(np.uint8)


def entry(op, size, target, out):
    kind = "u8" if out.dtype == np.uint8 else "f32"
    data = np.ascontiguousarray(out if kind == "u8" else out.astype("<f4"))
    return {
        "op": op,
        "size": list(size),
        "target": list(target),
        "kind": kind,
        "data": base64.b64encode(data.tobytes()).decode(),
    }


SIZES = [((29, 37), (13, 17)), ((16, 12), (24, 21)), ((24, 20), (12, 10))]
out = []
for size, target in SIZES:
    p = picture(*size)
    h, w = target
    for name, flag in [("nearest", cv2.INTER_NEAREST), ("linear", cv2.INTER_LINEAR),
                       ("cubic", cv2.INTER_CUBIC), ("area", cv2.INTER_AREA)]:
        out.append(entry("opencv_" + name, size, target, cv2.resize(p, (w, h), interpolation=flag)))
    f = cv2.resize(p.astype(np.float32), (w, h), interpolation=cv2.INTER_LINEAR)
    out.append(entry("opencv_float", size, target, f))
    for name in ["NEAREST", "BOX", "BILINEAR", "HAMMING", "BICUBIC", "LANCZOS"]:
        r = np.asarray(Image.fromarray(p).resize((w, h), getattr(Image.Resampling, name)))
        out.append(entry("pil_" + name.lower(), size, target, r))
    for order in range(6):
        r = resize(p.astype(np.float64), (h, w), order=order, preserve_range=True)
        out.append(entry("skimage_%d" % order, size, target, r.astype(np.float32)))
for size in [(16, 12)]:
    p = picture(*size)
    out.append(entry("gray", size, size, cv2.cvtColor(p, cv2.COLOR_RGB2GRAY)))
    i420 = cv2.cvtColor(p, cv2.COLOR_RGB2YUV_I420).reshape(-1)
    n = size[0] * size[1]
    uv = np.stack([i420[n:n + n // 4], i420[n + n // 4:]], -1).reshape(-1)
    out.append(entry("nv12", size, size, np.concatenate([i420[:n], uv])))
    s = max(size) / 14.0
    m = np.array([[1 / s, 0, 7 - (size[1] // 2) / s], [0, 1 / s, 7 - (size[0] // 2) / s]])
    out.append(entry("warp", size, (14, 14), cv2.warpAffine(p, m, (14, 14))))
    ycrcb = cv2.cvtColor(p, cv2.COLOR_RGB2YCrCb)
    out.append(entry("yuv444", size, size, ycrcb[:, :, [0, 2, 1]]))
print(json.dumps(out, indent=1))
