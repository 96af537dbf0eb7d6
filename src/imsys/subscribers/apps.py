from django.apps import AppConfig


class SubscribersConfig(AppConfig):
    name = "imsys.subscribers"
    label = "subscribers"
