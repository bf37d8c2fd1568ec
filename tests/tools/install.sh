# Sourced by scripts/test-terraform and scripts/test-workflows. Installs third-party checkers below target/tools, once for
# each pinned version.
# shellcheck shell=bash

tools="${CARGO_TARGET_DIR:-$PWD/target}/tools"
mkdir -p "$tools"

skip() {
    echo "!!! skipped: $*"
}

# Installs the packages of package-lock.json and sets $packages to their folder. Needs Node 20 or later.
node_packages() {
    packages="$tools/node/node_modules"
    command -v node > /dev/null && command -v npm > /dev/null || return 1
    [ "$(node -p 'Number(process.versions.node.split(".")[0])')" -ge 20 ] || return 1
    if cmp -s tests/tools/package-lock.json "$tools/node/installed.lock"; then
        return 0
    fi
    rm -rf "$tools/node"
    mkdir -p "$tools/node"
    cp tests/tools/package.json tests/tools/package-lock.json "$tools/node/"
    if ! (cd "$tools/node" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > "$tools/npm.log" 2>&1); then
        # A wrong lock file is our fault; a registry that does not answer is not.
        if grep -qE 'EUSAGE|EINTEGRITY' "$tools/npm.log"; then
            cat "$tools/npm.log"
            exit 1
        fi
        return 1
    fi
    cp tests/tools/package-lock.json "$tools/node/installed.lock"
}

# python_tool checkov==3.3.30: installs a command from PyPI in its own folder and sets $python_bin to its commands.
python_tool() {
    local folder="$tools/$1"
    python_bin="$folder/bin"
    if [ -f "$folder/installed" ]; then
        return 0
    fi
    command -v python3 > /dev/null || return 1
    rm -rf "$folder"
    python3 -m venv "$folder" > "$tools/pip.log" 2>&1 || return 1
    "$python_bin/pip" install --quiet --disable-pip-version-check "$1" >> "$tools/pip.log" 2>&1 || return 1
    touch "$folder/installed"
}
