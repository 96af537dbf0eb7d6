from django.apps import AppConfig


class NetworkConfig(AppConfig):
    name = "imsys.network"
    label = "network"
