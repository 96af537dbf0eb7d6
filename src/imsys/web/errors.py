"""What a person sees when a page is not there or broke."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "web/problem.html", {"title": "Not found", "text": "There is no such page."}, status=404)


def broken(request: HttpRequest) -> HttpResponse:
    text = "The page could not be made. The log on the server says why."
    return render(request, "web/problem.html", {"title": "Something broke", "text": text, "is_bare": True}, status=500)
