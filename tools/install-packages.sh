#!/usr/bin/env bash
# Installs the Debian 12 packages that Strata builds with; does nothing where all are there.
set -euo pipefail
packages=(g++ cmake ninja-build ccache clang-format pkg-config git libsystemc-dev libboost-graph-dev libnlopt-cxx-dev
    nlohmann-json3-dev libyaml-cpp-dev libcli11-dev libfmt-dev libgtest-dev libbenchmark-dev libvalijson-dev libssl-dev liburing-dev libsqlite3-dev
    qt6-base-dev libqcustomplot-dev libqcustomplot2.1-qt6 fonts-dejavu-core poppler-utils libjs-chart.js protobuf-compiler
    chromium chromium-driver xvfb xdotool
    libxml2-utils man-db groff-base fish zsh bsdextrautils desktop-file-utils appstream dpkg-dev file
    slurmctld slurmd slurm-client munge
    libtorch-dev libopenblas0-serial)  # the last two: small models (strata train-study)
missing=()
for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "missing packages: ${missing[*]}
Install them as root: apt-get install ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq || { sleep 5; "${as_root[@]}" apt-get update -qq; }
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || {
    echo "could not install: ${missing[*]}. Is the package mirror reachable?" >&2
    exit 1
}
