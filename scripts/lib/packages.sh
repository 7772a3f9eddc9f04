# Installs Debian packages that are missing, from the list in debian-packages.txt. Sourced by the scripts.

# Prints a command that runs its arguments as root: nothing when we are, sudo when it is there.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else
    echo "Missing packages, and neither root nor sudo to install them. As root, run: $*" >&2
    return 1
  fi
}

# packages_of GROUP...: the package names of these groups.
packages_of() {
  local group
  for group in "$@"; do
    awk -v group="$group" '$1 == group { print $2 }' "$root/debian-packages.txt"
  done | sort -u
}

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# ensure_packages GROUP...: installs what is missing of these groups; quiet when nothing is.
ensure_packages() {
  local missing=() package
  for package in $(packages_of "$@"); do
    is_installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  echo "Installing ${#missing[@]} Debian packages: ${missing[*]}" >&2
  local log
  log=$(mktemp)
  # A download that breaks off is tried again; a second failure is shown.
  if ! { as_root apt-get update -qq &&
         as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
           -o Acquire::Retries=3 "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    rm -f "$log"
    echo "Could not install the packages above; see the messages of apt-get." >&2
    return 1
  fi
  rm -f "$log"
}
