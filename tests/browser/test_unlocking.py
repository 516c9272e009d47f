"""Support staff end locks."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .site import LOCKS, LOGIN, DemoSite
from .visitor import Visit, log_in

MANY = 500


def test_a_refused_user_is_found_unlocked_and_let_in(visit: Visit) -> None:
    login = visit(LOGIN)
    lock_out(login, "quentin")

    page = visit(LOCKS, "support")
    page.locator("#searchbar").fill("quentin")
    page.locator("#searchbar").press("Enter")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Unlock quentin").click()
    expect(page.locator(".lockout-number")).to_have_text("1 lock will end.")
    page.get_by_label("Reason").fill("called back on the number we know")
    page.get_by_role("button", name="Unlock").click()

    expect(page.locator(".messagelist .success")).to_have_text("“quentin” is unlocked.")
    assert log_in(visit(LOGIN), "quentin", "demo-account") == 302


def test_many_locks_are_ended_at_once(site: DemoSite, visit: Visit) -> None:
    site.shell(
        "from lockout_admin.lockout import lock_account\n"
        f"for number in range({MANY}):"
        " lock_account(f'crowd-{number:03}', 3600, by='import', note='leak')"
    )
    page = visit(f"{LOCKS}?username=crowd-&match=prefix", "support")
    page.get_by_label("Select all objects on this page for an action").check()
    page.get_by_role("button", name=f"Select all {MANY} active locks").click()
    page.locator("select[name=action]").select_option(label="Unlock the selected locks")
    page.locator(".actions button").click()
    expect(page.locator(".lockout-number")).to_have_text(f"{MANY} locks will end.")
    page.get_by_label("Reason").fill("the list was ours")
    page.get_by_label(f"I have read why {MANY} locks were put on by hand.").check()
    page.get_by_role("button", name=f"Unlock {MANY}").click()

    expect(page.locator(".messagelist .success")).to_have_text(f"{MANY} locks ended.")
    expect(page.locator("#result_list")).to_have_count(0)
    assert (
        site.shell("print(AccountLock.objects.open().filter(label__startswith='crowd-').count())")
        == "0"
    )


def test_the_keyboard_is_enough_to_unlock(site: DemoSite, visit: Visit) -> None:
    site.lock("ulrich")
    page = visit(LOCKS, "support")
    tab_to(page, "#searchbar")
    page.keyboard.type("ulrich")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=ulrich**")
    tab_to(page, ".lockout-unlock")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reason")).to_be_focused()
    page.keyboard.type("called back")
    tab_to(page, "#id_by_hand")
    page.keyboard.press("Space")
    tab_to(page, ".lockout-buttons button")
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist .success")).to_have_text("“ulrich” is unlocked.")


def test_a_lock_that_only_the_store_knows_is_ended(site: DemoSite, visit: Visit) -> None:
    site.lock("yvonne")
    site.shell("AccountLock.objects.filter(label='yvonne').delete()")
    page = visit(LOCKS, "support")
    page.get_by_role("button", name="Unlock yvonne").click()
    expect(page.locator(".lockout-undone")).to_contain_text("Found in the store")
    page.get_by_label("Reason").fill("called back")
    page.get_by_label("I have read why 1 lock was put on by hand.").check()
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator(".messagelist .success")).to_have_text("“yvonne” is unlocked.")
    expect(page.get_by_text("Only the store knows")).to_have_count(0)


def test_a_name_that_nobody_has_is_locked_after_a_warning(visit: Visit) -> None:
    page = visit(f"{LOCKS}add/", "admin")
    page.get_by_label("Username").fill("nobody-has-it")
    page.get_by_label("Reason").fill("reported phished")
    expect(page.get_by_label("Do it all the same")).to_have_count(0)
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.locator(".errorlist")).to_contain_text("No account has the name")
    page.get_by_label("Do it all the same").check()
    page.get_by_role("button", name="Lock", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("is locked until")


def lock_out(page: Page, username: str) -> None:
    """Guess until the login form says to wait."""
    statuses = [log_in(page, username, "a wrong guess") for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    expect(page.get_by_role("alert")).to_contain_text("second")


def tab_to(page: Page, selector: str, most: int = 60) -> None:
    """Press the tab key until the focus, which must be visible, is where it should be."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            assert page.evaluate("document.activeElement.matches(':focus-visible')")
            return
    raise AssertionError(f"{most} tabs do not lead to {selector}")


#: Where the field with the focus, its help and the button are.
_BOXES = """() => {
  const wrapper = document.activeElement.closest(".lockout-filter");
  const box = (one) => one && one.getBoundingClientRect().toJSON();
  return {
    field: box(document.activeElement),
    help: box(wrapper.querySelector(".help")),
    bar: box(wrapper.closest("form").querySelector(".lockout-buttons")),
  };
}"""


@pytest.mark.parametrize("height", [560, 800])
@pytest.mark.parametrize("is_in_place", [True, False])
def test_the_button_is_at_hand_and_covers_no_field(
    visit: Visit, keys: dict[str, str], height: int, is_in_place: bool
) -> None:
    size = {"width": 400, "height": height}
    page = visit(f"{LOCKS}{keys['lock']}/unlock/", "admin", viewport=size)
    if is_in_place:
        page.locator(".lockout-confirm tbody th a").first.click()
    fields = page.locator(".lockout-in-place .lockout-filter :is(input, select)")
    expect(fields.first).to_be_focused()
    for number in (0, 1, 2, 1, 0):
        fields.nth(number).focus()
        boxes = page.evaluate(_BOXES)
        bar = boxes["bar"]
        assert 0 <= bar["top"] < bar["bottom"] <= height
        for one in (boxes["field"], boxes["help"]):
            if one:
                assert 0 <= one["top"] < one["bottom"] <= bar["top"]
