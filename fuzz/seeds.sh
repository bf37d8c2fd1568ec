#!/usr/bin/env bash
# Creates the initial corpus of the fuzz targets from the tests' policies, facts and deliveries. Needs bash and jq.
set -euo pipefail
cd "$(dirname "$0")/.."

corpus=fuzz/corpus
mkdir -p "$corpus"/{load_policy,decide,delivery,commands,answers}

# Each file is one bundle, and each folder of files is one bundle.
number=0
while IFS= read -r -d '' file; do
    number=$((number + 1))
    cp "$file" "$corpus/load_policy/seed-$number"
done < <(find docs fuzz/policies policies tests -name '*.y*ml' ! -name '*.test.y*ml' -size -8k -print0 | sort -z)
while IFS= read -r -d '' folder; do
    number=$((number + 1))
    for file in "$folder"/*.yaml; do
        printf '\n# file: %s\n' "${file##*/}"
        cat "$file"
    done > "$corpus/load_policy/seed-$number"
done < <(find policies tests/lint -name '*.yaml' ! -name '*.test.yaml' -printf '%h\0' | sort -z | uniq -zd)

number=0
for file in docs/facts.json tests/facts/*.json; do
    number=$((number + 1))
    cp "$file" "$corpus/decide/seed-$number"
done
# Random bytes for generated facts. Some are long enough for a request with reviews.
for length in 64 256 512 1024; do
    number=$((number + 1))
    awk -v n="$length" 'BEGIN { srand(n); for (i = 0; i < n; i++) printf "%c", 1 + int(rand() * 126) }' \
        > "$corpus/decide/seed-$number"
done

number=0
while IFS= read -r line; do
    number=$((number + 1))
    { jq -r .event <<< "$line"; jq -c .payload <<< "$line"; } > "$corpus/delivery/seed-$number"
done < <(jq -c '.[]' tests/deliveries/handled.json)
for event in ping pull_request pull_request_review check_run; do
    while IFS= read -r line; do
        number=$((number + 1))
        printf '%s\n%s\n' "$event" "$line" > "$corpus/delivery/seed-$number"
    done < <(jq -c '.[]' "tests/deliveries/$event.json")
done
printf 'ping sha256=%064d\n{}' 0 > "$corpus/delivery/seed-unsigned"

number=0
while IFS= read -r line; do
    number=$((number + 1))
    # The first byte says who approves: `0` is an approver, `1` may override.
    { printf '%d' $((number % 4)); printf '%b' "$line"; } > "$corpus/commands/seed-$number"
done << 'END'
LGTM
/approve staging
/approve checkout:production, staging
LGTM\n\n/approve staging
> quoted\n\n/approve staging
```\n/approve staging\n```
<!-- /approve staging -->\n/approve production
`/approve staging`
approve staging
/override production the shop is down
/override checkout:production: down
/override production
/aprove staging
\xef\xbc\x8fapprove staging
/\xd0\xb0pprove staging
/approve production\r\n/approve staging
- @dave /approve staging.
see src/approve.rs and https://x.example/approve
END

for length in 16 64 256 1024; do
    awk -v n="$length" 'BEGIN { srand(n); for (i = 0; i < n; i++) printf "%c", 1 + int(rand() * 126) }' \
        > "$corpus/answers/seed-$length"
done

for target in load_policy decide delivery commands answers; do
    printf '%s: %s seeds\n' "$target" "$(find "$corpus/$target" -name 'seed-*' | wc -l)"
done
