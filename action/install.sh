#!/usr/bin/env bash
# Outputs the path of `countersign`, after building it from this action's own source if necessary.
#
# install.sh key    outputs the cache key and folder of the built binary
# install.sh        outputs the path of the binary
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

source_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
built=$work/bin/countersign

output() { printf '%s=%s\n' "$1" "$2" >> "${GITHUB_OUTPUT:?is set by the runner}"; }

# The key covers everything that makes the binary: the source, the dependencies' versions, the compiler, the machine.
if [[ ${1:-} == key ]]; then
    digest=$(cd "$source_folder" && find Cargo.toml Cargo.lock src policies schema -type f -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)
    output key "countersign-${RUNNER_OS:-any}-${RUNNER_ARCH:-any}-$digest"
    output path "$work/bin"
    exit
fi

if [[ -n ${INPUT_BINARY:-} ]]; then
    if [[ ! -x $INPUT_BINARY || -d $INPUT_BINARY ]]; then
        say error "there is no program at \`$INPUT_BINARY\`: correct the input \`binary\`"
        exit 1
    fi
    output binary "$INPUT_BINARY"
    exit
fi

if [[ ! -x $built ]]; then
    # Builds outside the checkout: cargo and rustup read settings from every parent folder, and a stranger could add some.
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
output binary "$built"
