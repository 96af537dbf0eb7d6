from django.apps import AppConfig


class TimelineConfig(AppConfig):
    name = "imsys.timeline"
    label = "timeline"
