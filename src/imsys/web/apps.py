from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "imsys.web"
    label = "web"
