#!/usr/bin/env bash
# Finds `countersign`, or builds it from the source that this action came with, and tells its path.
#
# install.sh key    tells what the built binary is cached under
# install.sh        tells the binary, after building it if need be
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
built=$work/bin/countersign

tell() { printf '%s=%s\n' "$1" "$2" >> "${GITHUB_OUTPUT:?is set by the runner}"; }

# Everything that the binary is made of: the source, the versions of its dependencies, the compiler, the machine.
if [[ ${1:-} == key ]]; then
    digest=$(cd "$source_folder" && find Cargo.toml Cargo.lock src policies schema -type f -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)
    tell key "countersign-${RUNNER_OS:-any}-${RUNNER_ARCH:-any}-$digest"
    tell path "$work/bin"
    exit
fi

if [[ -n ${INPUT_BINARY:-} ]]; then
    if [[ ! -x $INPUT_BINARY || -d $INPUT_BINARY ]]; then
        say error "there is no program at \`$INPUT_BINARY\`, which the input \`binary\` names"
        exit 1
    fi
    tell binary "$INPUT_BINARY"
    exit
fi

if [[ ! -x $built ]]; then
    # Away from the checkout: cargo and rustup look for settings in every folder above, and those would be a stranger's.
    rm -rf "$work/source"
    mkdir -p "$work/source" "$work/bin"
    (cd "$source_folder" && tar -cf - --exclude ./target --exclude ./.git .) | tar -xf - -C "$work/source"
    cd "$work/source"
    if command -v rustup > /dev/null; then
        version=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
        rustup toolchain install "$version" --profile minimal
        export RUSTUP_TOOLCHAIN=$version
    fi
    cargo build --release --locked --bin countersign --target-dir "$work/target"
    cp "$work/target/release/countersign" "$built"
fi
tell binary "$built"
