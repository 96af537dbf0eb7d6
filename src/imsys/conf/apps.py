from django.apps import AppConfig


class ConfConfig(AppConfig):
    name = "imsys.conf"
    label = "conf"
