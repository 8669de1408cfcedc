"""Who looks: by an API key, or by the stack's OpenID provider, with PKCE."""

import pytest

from tests.support.page import KEY
from tests.support.provider import AUDIENCE, CLIENT, providing


@pytest.fixture
def provider():
    with providing() as running:
        yield running


@pytest.fixture
def signing(look, provider):
    """Before the page of a stack that has a provider."""

    def begin(hash_="#/"):
        looking = look(
            hash_=hash_,
            sees="Sign in",
            environ={
                "CAUSEWAY_OIDC_ISSUER": provider.url,
                "CAUSEWAY_OIDC_AUDIENCE": AUDIENCE,
                "CAUSEWAY_CONSOLE_CLIENT_ID": CLIENT,
            },
        )
        looking.gateway.keys[provider.token] = looking.gateway.keys.pop(KEY)
        return looking

    return begin


class TestByKey:
    def test_a_key_in_the_address_is_taken_out_of_it_at_once(self, look, without_fault):
        looking = look(hash_=f"#key={KEY}")
        with without_fault(looking):
            assert KEY not in looking.page.ask("location.href + document.documentElement.outerHTML")
            assert looking.page.ask("history.length") <= 2
            assert looking.page.ask("localStorage.length") == 0

    def test_a_key_can_be_written_and_what_the_address_means_is_shown(self, look, without_fault):
        looking = look(hash_="#/integrations/orders-to-ledger", sees="Sign in by key")
        page = looking.page
        with without_fault(looking):
            looking.picture("sign-in-by-key")
            page.ask("document.querySelector('#field-key').focus()")
            page.write(KEY)
            page.press("Enter")
            page.sees("Latest deliveries")
            page.click("#leave")
            page.sees("Sign in by key")
            assert page.ask("sessionStorage.length") == 0

    def test_a_key_that_is_none_is_refused(self, look):
        looking = look(hash_="#/", sees="Sign in by key")
        looking.page.ask("document.querySelector('#field-key').focus()")
        looking.page.write("causeway_of_nobody")
        looking.page.press("Enter")
        looking.page.sees("This key or token is not known here")

    def test_without_a_provider_nobody_is_asked_to_go_to_one(self, look):
        looking = look(hash_="#/", sees="Sign in by key")
        assert looking.page.ask("[...document.querySelectorAll('main button')].length") == 1


class TestByProvider:
    def test_a_person_comes_back_signed_in_to_where_they_were(self, signing, provider, without_fault):
        looking = signing("#/integrations/orders-to-ledger")
        page = looking.page
        with without_fault(looking):
            looking.picture("sign-in")
            page.click(".sign-in .main")
            page.sees("Latest deliveries")
            assert page.ask("location.search + location.hash") == "#/integrations/orders-to-ledger"
            (asked,) = provider.asked
            assert asked["code_challenge_method"] == "S256"
            assert asked["scope"] == "openid console:read console:operate"
            assert asked["audience"] == AUDIENCE
            assert asked["redirect_uri"] == f"{looking.url}/console"
            (sent,) = provider.exchanged
            assert "client_secret" not in sent
            assert page.ask("Object.keys(sessionStorage).join()") == "causeway.session"
            assert page.ask("localStorage.length + document.cookie.length") == 0

    @pytest.mark.parametrize(
        ("what", "wrong", "said"),
        [
            (
                "handed_back",
                {"state": "of-another"},
                "this answer belongs to no sign-in that began in this tab",
            ),
            ("handed_back", {"iss": "https://evil.example.com"}, "another provider answered"),
            ("handed_back", {"error": "access_denied"}, "the provider said: access_denied"),
            ("handed_back", {"code": "stolen"}, "the provider gave no token: invalid_grant"),
            ("claims", {"nonce": "of-another"}, "the ID token belongs to another sign-in"),
            ("claims", {"iss": "https://evil.example.com"}, "the ID token is of another issuer"),
            ("claims", {"aud": "another"}, "the ID token is for another client"),
            ("claims", {"exp": 1}, "the ID token has expired"),
        ],
    )
    def test_an_answer_that_is_not_right_signs_nobody_in(self, signing, provider, what, wrong, said):
        looking = signing()
        setattr(provider, what, wrong)
        looking.page.click(".sign-in .main")
        looking.page.sees(said)
        assert looking.page.ask("sessionStorage.length") == 0
        assert looking.page.ask("location.search") == ""

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"issuer": "https://evil.example.com"}, "that of another issuer"),
            ({"authorization_endpoint": "javascript:window.pwned=1"}, "authorization_endpoint is not safe"),
            ({"token_endpoint": "ftp://evil.example.com"}, "token_endpoint is not safe"),
        ],
    )
    def test_a_configuration_that_is_not_right_sends_nobody_anywhere(self, signing, provider, wrong, said):
        looking = signing()
        provider.said = wrong
        looking.page.click(".sign-in .main")
        looking.page.sees(said)
        assert provider.asked == []

    def test_an_address_that_somebody_else_made_signs_nobody_in(self, signing, provider):
        """Nobody is signed in as the one who sent them the link."""
        looking = signing()
        looking.page.open(f"{looking.url}/console?code=of-another&state=of-another")
        looking.page.sees("this answer belongs to no sign-in that began in this tab")
        assert provider.exchanged == []

    def test_when_the_token_is_over_a_person_signs_in_again(self, signing, provider):
        provider.good_for = 1
        looking = signing()
        looking.page.click(".sign-in .main")
        looking.page.sees("Your session is over: sign in again.")
        assert "orders-to-ledger" not in looking.page.text()

    def test_when_the_token_is_over_what_somebody_types_stays(self, signing, provider):
        provider.good_for = 1
        looking = signing()
        page = looking.page
        page.click(".sign-in .main")
        page.sees("Your session is over: sign in again.")
        page.ask("window.field = document.querySelector('#field-key'), field.focus()")
        page.write("causeway_half_of")
        page.ask("new Promise((done) => setTimeout(done, 1200))")  # the page looks at its clock each second
        assert page.ask("[field.isConnected, field.value, document.activeElement === field]") == [
            True,
            "causeway_half_of",
            True,
        ]
        assert page.ask("sessionStorage.length") == 0
