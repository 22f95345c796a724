"""Signing in and out, proving again who one is, and saying that one is still there."""

from django.conf import settings
from django.urls import URLPattern, path

from network.views import proofs, sign_ins

urlpatterns: list[URLPattern] = [
    path("sign-in/", sign_ins.sign_in_page, name="sign-in"),
    path("sign-in/passkey/options/", sign_ins.passkey_options, name="sign-in-passkey-options"),
    path("sign-in/passkey/", sign_ins.sign_in_with_passkey, name="sign-in-passkey"),
    path("sign-in/code/", sign_ins.sign_in_with_code, name="sign-in-code"),
    path("sign-in/recovery/", sign_ins.sign_in_with_recovery_code, name="sign-in-recovery"),
    path("sign-in/for/", sign_ins.choose_page, name="sign-in-for"),
    path("sign-in/for/choose/", sign_ins.choose, name="sign-in-for-choose"),
    path("sign-in/again/", proofs.again_page, name="sign-in-again"),
    path("sign-in/again/options/", proofs.again_options, name="sign-in-again-options"),
    path("sign-in/again/passkey/", proofs.again_with_passkey, name="sign-in-again-passkey"),
    path("sign-in/again/code/", proofs.again_with_code, name="sign-in-again-code"),
    path("session/ends/", proofs.ends, name="session-ends"),
    path("session/stay/", proofs.stay, name="session-stay"),
    path("sign-out/", sign_ins.sign_out, name="sign-out"),
]

if settings.PROFILE != "production":
    urlpatterns.append(path("sign-in/as/", sign_ins.sign_in_as, name="sign-in-as"))
    urlpatterns.append(path("sign-in/again/as/", proofs.again_as, name="sign-in-again-as"))
