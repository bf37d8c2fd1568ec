#!/usr/bin/env bash
# Checks the policy, runs its tests and compares it with the base's. Writes the job summary and the comment's text, and
# leaves what came of it for the verdict: it fails only where it cannot do its work.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bin=${COUNTERSIGN_BIN:?names the program}
policy=${INPUT_POLICY:-policies}
marker='<!-- countersign-diff -->'
comment=$work/comment.md
rm -f "$work"/result.* "$comment"

if [[ ${GITHUB_EVENT_NAME:-} == pull_request_target ]]; then
    say error "\`pull_request_target\` runs with a token that may write, on what a stranger wrote: use \`pull_request\`"
    exit 1
fi

# The path is an argument of its own and never an option.
[[ $policy != -* ]] || policy=./$policy

run() { # run NAME ARGUMENT…: keeps both outputs and the exit code
    local name=$1
    shift
    code=0
    NO_COLOR=1 "$bin" "$@" > "$work/$name.out" 2> "$work/$name.err" || code=$?
}

# quoted FILE: as a block of Markdown that nothing in it can end.
quoted() {
    head -c 100000 -- "$1" | sed 's/^/    /'
    printf '\n'
}

# The commit that the change would be laid on: where GitHub's test merge is checked out, what it merged into, since the
# payload's base is as old as the last push; else the payload's.
base_commit() {
    local head
    head=$(event .pull_request.head.sha)
    if [[ -n $head && $(git rev-parse --verify --quiet 'HEAD^2' || true) == "$head" ]]; then
        git rev-parse --verify 'HEAD^1'
    else
        event '.pull_request.base.sha | strings | select(test("^([0-9a-f]{40}|[0-9a-f]{64})$"))'
    fi
}

check() {
    run check check --format github -- "$policy"
    case $code in
        0) result check passed ;;
        # Every line of it is an annotation, escaped.
        3) result check failed ;;
        *)
            result check failed
            say error "the policy cannot be checked (exit code $code): $(head -c 2000 "$work/check.err")"
            ;;
    esac
    cat "$work/check.out"
    show "$work/check.err"
}

tests() {
    run test test --policy "$policy"
    show "$work/test.out"
    show "$work/test.err"
    if [[ $code -eq 0 ]]; then result test passed; else result test failed; fi
}

compare() {
    local base
    base=$(base_commit)
    if [[ -z $base ]] || ! git cat-file -e "$base^{commit}" 2> "$work/git.err"; then
        say error "the base commit is not in the checkout: let \`actions/checkout\` fetch it with \`fetch-depth: 2\`"
        exit 1
    fi
    run diff diff --format json --deny-loosening -- "git:$base" "$policy"
    local why
    why=$(jq -r '.error.code // empty' "$work/diff.out" 2> /dev/null || true)
    case $code:$why in
        0:*)
            result diff "$(jq -r 'if .changes == [] then "same" else "not-looser" end' "$work/diff.out")"
            ;;
        6:*) result diff looser ;;
        # Where nothing can be compared, nothing is shown to be stricter.
        1:policy-missing) result diff new ;;
        3:*) result diff base-invalid ;;
        *)
            show "$work/diff.err"
            say error "the policy cannot be compared with the base's (exit code $code)"
            exit 1
            ;;
    esac
    case $(result diff) in
        new)
            printf '%s\n### What this change means for approvals\n\nThe base has no policy here: all of it is new, which counts as looser.\n' \
                "$marker" > "$comment"
            ;;
        base-invalid)
            printf "%s\n### What this change means for approvals\n\nThe base's policy has errors and decides nothing: all of this one counts as looser.\n" \
                "$marker" > "$comment"
            ;;
        *)
            run markdown diff --format markdown -- "git:$base" "$policy"
            if [[ $code -ne 0 ]]; then
                show "$work/markdown.err"
                say error "what changes cannot be written (exit code $code)"
                exit 1
            fi
            cp "$work/markdown.out" "$comment"
            ;;
    esac
    case $(result diff) in
        looser | new | base-invalid)
            printf '\nThis can only pass with the label <code>%s</code>.\n' "$(jq -rn 'env.INPUT_LABEL // "" | @html')" >> "$comment"
            ;;
    esac
}

check
if [[ $(result check) == passed ]]; then
    tests
    if [[ -n $(pull_request) ]]; then compare; fi
elif [[ -n $(pull_request) ]]; then
    # What stood in the comment before is of another policy.
    printf '%s\n### What this change means for approvals\n\nNobody can say: the policy has errors. The lines are annotated.\n' \
        "$marker" > "$comment"
fi

{
    [[ ! -f $comment ]] || cat "$comment"
    printf '\n| | |\n|---|---|\n| check | %s |\n| tests | %s |\n| against the base | %s |\n' \
        "$(result check)" "$(result test)" "$(result diff)"
    if [[ -f $work/test.out ]]; then
        printf '\n<details><summary>policy tests</summary>\n\n'
        quoted "$work/test.out"
        printf '\n</details>\n'
    fi
} >> "${GITHUB_STEP_SUMMARY:?is set by the runner}"
