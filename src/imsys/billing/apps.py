from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "imsys.billing"
    label = "billing"
