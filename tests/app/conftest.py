"""One server and one browser for all tests of the web service."""

import pytest

from tests import browser, webapp


@pytest.fixture(scope="session")
def chromium():
    with browser.started() as found:
        yield found


@pytest.fixture(scope="session")
def app(finished, tmp_path_factory):
    """A server that keeps a record. It is a fork; tests/test_pipeline.py has the record of a cold start."""
    with webapp.running(finished, tmp_path_factory.mktemp("app"), start=webapp.RECORDED) as found:
        yield found


@pytest.fixture(scope="session")
def window(chromium):
    """An empty page: to open one takes Chromium 0.5 s of a core."""
    return browser.Visit(chromium, "about:blank")


@pytest.fixture
def visit(app, window):
    """The page, once it knows the models."""
    window.start_over(app.url)
    window.page.get_by_text("3 models: model_0, model_1, model_2").wait_for(timeout=webapp.READY)
    return window
