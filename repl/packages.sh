#!/bin/sh
# Sees to it that packages are there: packages.sh PACKAGE...
# On Debian and its kin, installs the missing ones by apt, as root or by sudo; elsewhere names what is needed.
set -eu

if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
  # No way to ask by package: look for what the packages bring.
  missing=
  for package in "$@"; do
    case $package in
      g++) command -v c++ >/dev/null 2>&1 || missing="$missing a C++20 compiler (g++ 12 or clang++ 14);" ;;
      gambc) command -v gsc >/dev/null 2>&1 || missing="$missing Gambit Scheme 4.9.3 or newer, with gsc and gsi;" ;;
      libxxhash-dev) test -e /usr/include/xxhash.h || test -e /usr/local/include/xxhash.h || missing="$missing xxhash.h (xxHash 0.8);" ;;
      libboost-test-dev) test -e /usr/include/boost/test/included/unit_test.hpp || test -e /usr/local/include/boost/test/included/unit_test.hpp || missing="$missing Boost.Test;" ;;
      pkg-config|tmux) command -v "$package" >/dev/null 2>&1 || missing="$missing $package;" ;;
    esac
  done
  [ -z "$missing" ] && exit 0
  echo "packages: this is no Debian, so please install yourself what is missing:$missing" >&2
  exit 1
fi

missing=
for package in "$@"; do
  case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
    *"ok installed") ;;
    *) missing="$missing $package" ;;
  esac
done
[ -z "$missing" ] && exit 0

if [ "$(id -u)" = 0 ]; then
  become=
elif command -v sudo >/dev/null 2>&1; then
  become=sudo
else
  echo "packages: missing:$missing. Install them as root: apt-get install$missing" >&2
  exit 1
fi
echo "packages: installing with apt:$missing"
export DEBIAN_FRONTEND=noninteractive
# The lists may be old or not there at all.
$become apt-get update -qq || true
# shellcheck disable=SC2086
if ! $become apt-get install -y -qq --no-install-recommends $missing >/dev/null; then
  echo "packages: apt could not install$missing; see its message above, or install them by hand" >&2
  exit 1
fi
