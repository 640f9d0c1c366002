# System packages, for script/setup and script/setup-extras. Sourced; the caller defines say.

# Root may install packages; others need a sudo that asks for no password.
can_install() { command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; }

install_packages() {
  say "installing $* (apt-get)"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq) log
  if [ "$(id -u)" != 0 ]; then apt=(sudo -n "${apt[@]}"); fi
  log=$("${apt[@]}" update 2>&1) || true
  log+=$("${apt[@]}" install -y --no-install-recommends "$@" 2>&1) || { printf '%s\n' "$log" >&2; return 1; }
}
