"""Accounts on pages: who is who, invitations, who came when."""

from __future__ import annotations

from collections.abc import Mapping

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.refusal import Refusal, Refused
from equipoise.web.accounts import people
from equipoise.web.accounts.events import note_access
from equipoise.web.accounts.models import AccessEvent, Account
from equipoise.web.clinic import current_clinic
from equipoise.web.listing import Column, show_listing
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Anyone, Gives

_ADMINISTERS = Gives(("GrantRole",))
_SENT_ONCE = "invitation_link"
_EVENTS_MAX = 5000

EVENT_WORDS: Mapping[str, Promise] = {
    "account_made": gettext_lazy("account made"),
    "account_closed": gettext_lazy("account closed"),
    "account_reopened": gettext_lazy("account opened again"),
    "name_changed": gettext_lazy("printed name changed"),
    "invited": gettext_lazy("invited to set a password"),
    "password_set": gettext_lazy("password set"),
    "login": gettext_lazy("logged in"),
    "login_failed": gettext_lazy("log-in failed"),
    "logout": gettext_lazy("logged out"),
    "sessions_ended": gettext_lazy("sessions ended"),
    "proof_failed": gettext_lazy("proof for a signature failed"),
    "factor_added": gettext_lazy("second factor added"),
    "factor_removed": gettext_lazy("second factor removed"),
    "token_made": gettext_lazy("token made"),
    "token_revoked": gettext_lazy("token revoked"),
    "token_failed": gettext_lazy("token refused"),
    "identity_read": gettext_lazy("identity read"),
    "allocation_read": gettext_lazy("allocation read"),
    "copy_taken": gettext_lazy("copy taken away"),
    "scan_taken": gettext_lazy("scan file taken away"),
}
"""What an event of the access log is called."""

_EVENT_COLUMNS: tuple[Column[AccessEvent], ...] = (
    Column("happened_at", gettext_lazy("When (UTC)"), lambda event: event.happened_at),
    Column("what", gettext_lazy("What"), lambda event: EVENT_WORDS[event.what]),
    Column("account", gettext_lazy("Account"), lambda event: event.account),
    Column("by", gettext_lazy("By"), lambda event: event.by),
    Column("address", gettext_lazy("From"), lambda event: event.address),
    Column("detail", gettext_lazy("Detail"), lambda event: event.detail),
)


def list_people(request: ClinicRequest) -> HttpResponse:
    """List every account with its roles."""
    with_factor = set(Authenticator.objects.values_list("user_id", flat=True))
    columns: tuple[Column[Account], ...] = (
        Column(
            "account",
            gettext_lazy("Account"),
            lambda each: each.username,
            link=lambda each: reverse("person", args=[each.username]),
        ),
        Column("name", gettext_lazy("Printed name"), lambda each: each.printed_name),
        Column("roles", gettext_lazy("Roles"), lambda each: _roles(request, each)),
        Column("factor", gettext_lazy("Second factor"), lambda each: each.pk in with_factor),
        Column("last", gettext_lazy("Last here (UTC)"), lambda each: each.last_login),
        Column("open", gettext_lazy("Open"), lambda each: each.is_active),
    )
    return show_listing(
        request, "accounts/people.html", "people", columns, Account.objects.order_by("username")
    )


def _roles(request: ClinicRequest, account: Account) -> str:
    held = request.clinic.roles_of(account.username)
    return ", ".join(f"{each.role} {each.site}" if each.site else each.role for each in held)


def make_person(request: ClinicRequest) -> HttpResponse:
    """Draw the form for a new account, or make it and invite its owner."""
    if request.method != "POST":
        return render(request, "accounts/new.html", {"given": {}})
    given = {name: request.POST.get(name, "").strip() for name in ("username", "printed_name", "email")}
    now, by = request.clinic.now(), request.actor.account
    made = people.make_account(request, **given, by=by, now=now)
    if isinstance(made, Refusal):
        return render(request, "accounts/new.html", {"given": given, "refusal": made}, status=422)
    request.session[_SENT_ONCE] = made.username, people.invite(request, made, by=by, now=now)
    return redirect("person", made.username)


def show_person(request: ClinicRequest, account: str) -> HttpResponse:
    """Draw one account: its roles, what happened to it, what may be done with it."""
    person = _find(account)
    # A link lets its bearer in as one person: on another one's page it would be given to the wrong one.
    invited, secret = request.session.pop(_SENT_ONCE, (None, None))
    link = request.build_absolute_uri(reverse("welcome", args=[secret])) if invited == account else None
    events = AccessEvent.objects.filter(account=person.username)[:_EVENTS_MAX]
    context = {"person": person, "link": link, "roles": request.clinic.roles_of(person.username)}
    hours = people.INVITATION_HOURS
    return show_listing(
        request, "accounts/person.html", "events", _EVENT_COLUMNS, events, hours=hours, **context
    )


def change_person(request: ClinicRequest, account: str) -> HttpResponse:
    """Invite again, end sessions, close or open an account, or change its printed name."""
    person, by, now = _find(account), request.actor.account, request.clinic.now()
    match request.POST.get("act"):
        case "invite":
            request.session[_SENT_ONCE] = person.username, people.invite(request, person, by=by, now=now)
        case "end_sessions":
            ended = people.end_sessions(person)
            note_access(request, "sessions_ended", person.username, by=by)
            messages.success(request, _("Sessions ended: %(number)s.") % {"number": ended})
        case "close" if person.username != by:
            people.close_account(request, person, by=by, now=now)
            messages.success(request, _("The account is closed."))
        case "reopen":
            people.reopen_account(request, person, by=by)
            messages.success(request, _("The account is open again."))
        case "rename" if request.POST.get("printed_name", "").strip():
            person.printed_name = request.POST["printed_name"].strip()[:200]
            person.save(update_fields=["printed_name"])
            note_access(request, "name_changed", person.username, by=by)
            messages.success(request, _("The printed name is changed."))
        case _:
            sentence = _("This cannot be done with this account.")
            raise Refused(Refusal("WEB-ACCOUNT-ACT", sentence, _("Choose one of the acts on its page.")))
    return redirect("person", person.username)


def _find(account: str) -> Account:
    try:
        return Account.objects.get(username=account)
    except Account.DoesNotExist:
        raise Http404 from None


def show_access_log(request: ClinicRequest) -> HttpResponse:
    """List who came, who failed to, and what was taken away, newest first."""
    events = AccessEvent.objects.all()[:_EVENTS_MAX]
    return show_listing(request, "accounts/access.html", "access", _EVENT_COLUMNS, events)


def welcome(request: HttpRequest, secret: str) -> HttpResponse:
    """Let the owner of an invitation set the password of their account."""
    now = current_clinic().now()
    invitation = people.find_invitation(secret, now)
    if invitation is None:
        sentence = _("This invitation does not hold: it was used, it is too old, or another took its place.")
        raise Refused(Refusal("ACC-INVITATION", sentence, _("Ask the administrator for a new one.")))
    problems: tuple[str, ...] = ()
    if request.method == "POST":
        password, again = request.POST.get("password", ""), request.POST.get("again", "")
        problems = people.accept_invitation(request, invitation, password, again, now)
        if not problems:
            messages.success(request, _("Your password is set. Log in with it."))
            return redirect("account_login")
    context = {"person": invitation.account, "problems": problems}
    return render(request, "accounts/welcome.html", context, status=422 if problems else 200)


ROUTES: tuple[Route, ...] = (
    Route("people/", list_people, "people", _ADMINISTERS),
    Route("people/new/", make_person, "new_person", _ADMINISTERS, posts=True),
    Route("people/of/<code:account>/", show_person, "person", _ADMINISTERS),
    Route("people/of/<code:account>/change/", change_person, "change_person", _ADMINISTERS, posts=True),
    Route("people/access/", show_access_log, "access_log", _ADMINISTERS),
    Route("welcome/<secret:secret>/", welcome, "welcome", Anyone(), posts=True),
)
