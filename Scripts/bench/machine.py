"""What a measured table says about where it was measured."""
import datetime
import os
import platform
import subprocess


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        fields = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = fields.get("flags", "").split()
    kinds = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return f"{fields.get('model name', 'unknown')} (family {fields.get('cpu family', '?')}, model {fields.get('model', '?')}; {', '.join(kinds)})"


def commit():
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return found.stdout.strip() or "unknown"


def lines(convoy):
    """The day, the processor and the versions, as items of a list."""
    version = subprocess.run([convoy, "--version"], capture_output=True, text=True).stdout.strip()
    return [
        f"- {datetime.datetime.now():%Y-%m-%d %H:%M}, load average {os.getloadavg()[0]:.2f} at the end",
        f"- {os.cpu_count()} cores of {processor()}",
        f"- {platform.system()} {platform.release()}; {version}, commit {commit()}; Python {platform.python_version()}",
    ]
