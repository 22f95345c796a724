"""Passkeys, one-time codes and recovery codes of the person who is signed in; open sign-ins; acting for."""

from django.urls import URLPattern, path

from network.views import factors

urlpatterns: list[URLPattern] = [
    path("account/", factors.account_page, name="account"),
    path("account/passkeys/options/", factors.new_passkey_options, name="new-passkey-options"),
    path("account/passkeys/", factors.add_passkey, name="add-passkey"),
    path("account/passkeys/rename/", factors.rename_passkey, name="rename-passkey"),
    path("account/passkeys/remove/", factors.remove_passkey, name="remove-passkey"),
    path("account/recovery-codes/", factors.renew_recovery_codes, name="renew-recovery-codes"),
    path("account/codes/begin/", factors.begin_codes, name="begin-codes"),
    path("account/codes/", factors.codes_page, name="codes"),
    path("account/codes/picture.svg", factors.codes_picture, name="codes-picture"),
    path("account/codes/on/", factors.turn_on_codes, name="turn-on-codes"),
    path("account/codes/off/", factors.turn_off_codes, name="turn-off-codes"),
    path("account/sign-ins/end/", factors.end_sign_ins, name="end-sign-ins"),
    path("account/act-for/", factors.act_for_page, name="act-for"),
]
