import numpy as np
import pytest
from PIL import Image
from skimage import data

from cifar10.audit import quality

CAT = np.asarray(Image.fromarray(data.chelsea()[:300, 80:380]).resize((32, 32), Image.Resampling.BOX))
CHECKS = (np.indices((32, 32, 3))[:2].sum(axis=0) % 2).astype(np.uint8)
RED, BLUE = np.uint8([200, 30, 30]), np.uint8([30, 30, 200])


def blurred(side):
    return np.asarray(Image.fromarray(CAT).resize((side, side), Image.Resampling.BOX).resize((32, 32)))


def halves(upper, lower):
    picture = np.empty((32, 32, 3), np.uint8)
    picture[:16], picture[16:] = upper, lower
    return picture


@pytest.mark.parametrize(
    ("picture", "faults"),
    [
        pytest.param(CAT, [], id="a photograph"),
        pytest.param(CHECKS * 36, ["dark"], id="dark"),
        pytest.param(CAT // 4, [], id="dim"),
        pytest.param(blurred(6), ["blurred"], id="blurred"),
        pytest.param(halves(RED, RED), ["one-coloured"], id="red"),
        pytest.param(halves(RED, RED + np.uint8(9)), ["one-coloured"], id="standard deviation 4.5"),
        pytest.param(halves(RED, RED + np.uint8(12)), [], id="standard deviation 6"),
        pytest.param(halves(RED, BLUE), [], id="two colours of one brightness"),
        pytest.param(halves(0 * RED, 0 * RED), ["dark", "one-coloured"], id="black"),
        pytest.param(halves(0 * RED + 20, 0 * RED + 20), ["dark", "one-coloured"], id="at the threshold"),
        pytest.param(halves(0 * RED + 21, 0 * RED + 21), ["one-coloured"], id="above the threshold"),
    ],
)
def test_the_faults_of_a_picture(picture, faults):
    found = quality.find(np.stack([CAT, picture]))
    assert [kind for kind, positions in found.items() if positions] == faults
    assert all(positions in ([], [1]) for positions in found.values())


def test_no_pictures_have_no_faults():
    assert quality.find(np.empty((0, 32, 32, 3), np.uint8)) == {kind: [] for kind in quality.KINDS}
