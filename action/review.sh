#!/usr/bin/env bash
# Checks the policy, runs its tests and compares it with the policy of the base. Writes the job summary and the comment's
# text, and stores the results for verdict.sh. It fails only if it cannot do its work.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

bin=${COUNTERSIGN_BIN:?names the program}
policy=${INPUT_POLICY:-policies}
marker='<!-- countersign-diff -->'
comment=$work/comment.md
rm -f "$work"/result.* "$comment"

if [[ ${GITHUB_EVENT_NAME:-} == pull_request_target ]]; then
    say error "\`pull_request_target\` has a token that may write, and runs on a stranger's text: use \`pull_request\`"
    exit 1
fi

# Makes sure that the path is never read as an option.
[[ $policy != -* ]] || policy=./$policy

run() { # run NAME ARGUMENT…: runs countersign, and keeps both outputs and the exit code
    local name=$1
    shift
    code=0
    NO_COLOR=1 "$bin" "$@" > "$work/$name.out" 2> "$work/$name.err" || code=$?
}

# quoted FILE: prints a file as a Markdown block that no line of it can end.
quoted() {
    head -c 100000 -- "$1" | sed 's/^/    /'
    printf '\n'
}

# The commit that the change would be merged into. If GitHub's test merge is checked out, its first parent, because the
# payload's base is as old as the last push. Otherwise the payload's base.
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
        # Every line of the output is an escaped annotation.
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
        say error "the base commit is not in the checkout: give \`actions/checkout\` the input \`fetch-depth: 2\`"
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
        # Without a policy to compare with, the change counts as looser.
        1:policy-missing) result diff new ;;
        3:*) result diff base-invalid ;;
        *)
            show "$work/diff.err"
            say error "the policy cannot be compared with the policy of the base (exit code $code)"
            exit 1
            ;;
    esac
    case $(result diff) in
        new)
            printf '%s\n### What this change means for approvals\n\nThe base has no policy here. So all of it is new, which counts as looser.\n' \
                "$marker" > "$comment"
            ;;
        base-invalid)
            printf "%s\n### What this change means for approvals\n\nThe base's policy has errors, so it decides nothing. All of the new policy counts as looser.\n" \
                "$marker" > "$comment"
            ;;
        *)
            run markdown diff --format markdown -- "git:$base" "$policy"
            if [[ $code -ne 0 ]]; then
                show "$work/markdown.err"
                say error "the changes cannot be written as Markdown (exit code $code)"
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
    # Replaces the earlier comment, which is about another policy.
    printf '%s\n### What this change means for approvals\n\nThis is unknown, because the policy has errors. See the annotated lines.\n' \
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
