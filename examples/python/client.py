"""Call an API with the headers that cdp-credential-operator keeps fresh. Standard library only."""
import os
import time
import urllib.error
import urllib.request

HEADERS = os.environ.get("HEADERS_DIR", "/var/run/cdp")  # one file for each header


def headers():
    """Read the files anew for each call: the kubelet replaces them when the token is renewed."""
    names = [n for n in os.listdir(HEADERS) if not n.startswith("..")]
    return {n: open(os.path.join(HEADERS, n), encoding="utf-8").read().strip() for n in names}


def get(url):
    """GET url. A 401 is retried once: the token may have been replaced in between."""
    for last in (False, True):
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers())) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as e:
            if e.code != 401 or last:
                return e.code, e.read()
        time.sleep(1)


if __name__ == "__main__":
    while True:
        print(get(os.environ["API_URL"])[0], flush=True)
        time.sleep(float(os.environ.get("INTERVAL", "10")))
