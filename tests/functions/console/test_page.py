"""The page as it is served: what a browser may do with it, what it keeps, and what is told of it."""

import json
import re

import pytest

import functions.console.app as console
from causeway.console import files
from causeway.console.pages import policy
from causeway.console.signing_in import SigningIn
from tests.support.console import CONTEXT, event_of


def get(path, query="", **parameters):
    event = event_of("GET", path, query=query, said={})
    return console.handler(event | {"pathParameters": parameters}, CONTEXT)


@pytest.fixture(autouse=True)
def _stack(monkeypatch):
    """A page needs none: it is answered while AWS is away."""
    monkeypatch.setattr(console, "_stack", lambda: pytest.fail("the page asked for the stack"))
    monkeypatch.setenv("CAUSEWAY_ENVIRONMENT", "dev")


def policy_of(answer):
    directives = answer["headers"]["content-security-policy"].split("; ")
    return {name: values for name, *values in map(str.split, directives)}


def test_it_may_load_its_own_files_and_ask_its_own_api_and_nothing_else():
    assert policy_of(get("/console")) == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["'none'"],
    }


def test_it_may_ask_the_provider_where_there_is_one_and_where_its_tokens_are(monkeypatch):
    monkeypatch.setenv("CAUSEWAY_OIDC_ISSUER", "https://id.example.com/realms/one")
    assert policy_of(get("/console"))["connect-src"] == ["'self'"]  # without a client nobody signs in there
    monkeypatch.setenv("CAUSEWAY_CONSOLE_CLIENT_ID", "console")
    assert policy_of(get("/console"))["connect-src"] == ["'self'", "https://id.example.com"]
    monkeypatch.setenv("CAUSEWAY_CONSOLE_TOKEN_ORIGIN", "https://auth.example.com")
    told = policy_of(get("/console"))["connect-src"]
    assert told == ["'self'", "https://auth.example.com", "https://id.example.com"]


def test_a_page_is_asked_for_anew_each_time_and_no_other_site_learns_of_it():
    headers = get("/console")["headers"]
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["Content-Type"] == "text/html; charset=utf-8"


def test_all_that_it_names_is_there_and_is_kept_for_good():
    named = re.findall(r'(?:href|src)="(console/[^"]+)"', get("/console")["body"])
    assert {path.rpartition("/")[2] for path in named} == set(files.names())
    for path in named:
        _, version, file = path.split("/")
        answer = get(f"/{path}", version=version, file=file)
        assert answer["statusCode"] == 200
        assert "immutable" in answer["headers"]["cache-control"]
        assert answer["headers"]["Content-Type"] in files.TYPES.values()
        assert answer["body"] == (files.STATIC / file).read_text()


@pytest.mark.parametrize(
    ("version", "file"),
    [
        ("000000000000", "main.js"),
        (files.version(), "page.html"),
        (files.version(), "pages.py"),
        (files.version(), ".."),
    ],
)
def test_nothing_else_is_served(version, file):
    answer = get(f"/console/{version}/{file}", version=version, file=file)
    assert answer["statusCode"] == 404
    assert json.loads(answer["body"])["status"] == 404
    assert "immutable" not in answer["headers"]["cache-control"]


def test_no_markup_has_a_style_or_a_script_of_its_own():
    page = get("/console")["body"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|https?://", page)
    assert re.findall(r"<script\b[^>]*>", page) == [
        f'<script type="module" src="console/{files.version()}/main.js">'
    ]


@pytest.mark.parametrize("name", [name for name in files.names() if name.endswith(".js")])
def test_no_code_makes_markup_of_a_text(name):
    banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser|srcdoc"
    assert not re.search(banned, files.text(name))
    assert not re.search(r"""(?:from|import)\s*\(?["'](?!\./[a-z]+\.js["'])""", files.text(name))


def test_what_the_template_says_is_text_in_the_page():
    page = files.page(
        vars(SigningIn("dev", 'https://x"><script>', "a&b", "'", "openid", "")) | {"token_origin": ""}
    )
    assert 'data-issuer="https://x&quot;&gt;&lt;script&gt;"' in page
    assert 'data-client="a&amp;b"' in page


def test_what_a_provider_hands_back_in_the_address_is_neither_refused_nor_logged(capsys):
    answer = get("/console", query="code=secret-code&state=secret-state&iss=https%3A%2F%2Fid.example.com")
    assert answer["statusCode"] == 200
    assert "secret" not in capsys.readouterr().out


def test_a_policy_has_one_directive_of_each_kind():
    names = [directive.split()[0] for directive in policy(["https://id.example.com"]).split("; ")]
    assert len(names) == len(set(names))
