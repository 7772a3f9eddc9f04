# Installs Debian packages that are missing, from the list in debian-packages.txt. Sourced by the scripts.
# shellcheck shell=bash disable=SC2154 # root: the folder of this tree, which whoever sources this has set

# packages_of GROUP...: the package names of these groups.
packages_of() {
  local group
  for group in "$@"; do
    awk -v group="$group" '$1 == group { print $2 }' "$root/debian-packages.txt"
  done | sort -u
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# ensure_packages GROUP...: installs what is missing of these groups, as root or with sudo; quiet when nothing is.
ensure_packages() {
  local missing=() package
  for package in $(packages_of "$@"); do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local install=(apt-get install -y --no-install-recommends -o Acquire::Retries=3 "${missing[@]}") as=()
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "${#missing[@]} packages are missing, and there is neither root nor sudo to install them. As root, run:" >&2
      echo "  apt-get update && ${install[*]}" >&2
      return 1
    fi
    as=(sudo)
  fi
  echo "Installing ${#missing[@]} Debian packages: ${missing[*]}" >&2
  if ! { "${as[@]}" apt-get update && "${as[@]}" env DEBIAN_FRONTEND=noninteractive "${install[@]}"; } >&2; then
    echo "Could not install the packages; apt-get says why above." >&2
    return 1
  fi
}
