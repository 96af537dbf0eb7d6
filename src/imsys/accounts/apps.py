from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "imsys.accounts"
    label = "accounts"
