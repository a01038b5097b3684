"""Real pictures of a chessboard, taken by others, and the calibration that they published with them (OpenCV's samples)."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from bench.measure.geometry import fit_distortion

BOARD = (9, 6)


def test_distortion_is_that_of_the_published_calibration(opencv_samples: Path) -> None:
    paper = np.array([[x, y] for y in range(BOARD[1]) for x in range(BOARD[0])], dtype=float)
    views, shape = [], (0, 0)
    for file in sorted(opencv_samples.glob("left[01]*.jpg")):
        picture = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        found, corners = cv2.findChessboardCorners(picture, BOARD)
        assert found, file.name
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 60, 1e-3)
        corners = cv2.cornerSubPix(picture, corners, (5, 5), (-1, -1), stop)
        views.append((paper, corners.reshape(-1, 2).astype(float)))
        shape = (picture.shape[0], picture.shape[1])
    assert len(views) == 13
    fit = fit_distortion(views, shape)
    file = cv2.FileStorage(str(opencv_samples / "left_intrinsics.yml"), cv2.FILE_STORAGE_READ)
    focal = file.getNode("camera_matrix").mat()[0, 0]
    k1, k2, _, _, k3 = file.getNode("distortion_coefficients").mat().ravel()
    ideal = np.linspace(0.0, 1.0, 100_001)
    published = ideal * (1 + ideal**2 * (k1 + ideal**2 * (k2 + ideal**2 * k3)))
    half = math.hypot(*shape) / 2
    # As far as corners of the board were seen: beyond, either curve is a guess.
    assert fit.reach > 0.7
    for radius in np.arange(0.1, fit.reach, 0.05):
        truth = np.interp(radius * half / focal, published[: published.argmax()], ideal[: published.argmax()])
        theirs = 100 * (radius * half / focal / truth - 1)
        assert 100 * fit.distortion(float(radius)) == pytest.approx(theirs, abs=0.6)
    # The board's prints and the pictures' compression leave less than a fifth of a pixel a coordinate.
    assert fit.rms < 0.2
