#!/usr/bin/env bash
# Ends with the result of the review: 3 if the policy has errors, 4 if a test failed, 6 if something becomes looser and
# the label is missing. It also fails if the result is unknown.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

label=${INPUT_LABEL:-}
number=$(pull_request)

# labelled: succeeds if the pull request has the label now. It asks GitHub, because the payload is as old as the event, and
# a run can be repeated days later. Without an answer the label counts as missing.
labelled() {
    local status
    status=$(api GET "/issues/$number/labels?per_page=100" "$work/labels.json")
    if [[ $status != 200 ]]; then
        say warning "the labels cannot be read (GitHub answered $status), so the label counts as missing"
        return 1
    fi
    local now before
    now=$(jq --arg wanted "$label" 'any(.[].name; ascii_downcase == ($wanted | ascii_downcase))' "$work/labels.json")
    before=$(jq --arg wanted "$label" 'any(.pull_request.labels[]?.name; ascii_downcase == ($wanted | ascii_downcase))' \
        "$GITHUB_EVENT_PATH")
    [[ $now == "$before" ]] || say notice "the label changed since the event of this run: its present state counts"
    [[ $now == true ]]
}

# outdated: succeeds if the label was set before this push. It is then removed, and somebody must set it again.
outdated() {
    [[ $(event .action) == synchronize ]] || return 1
    local status path
    path=$(jq -rn --arg wanted "$label" '$wanted | @uri')
    status=$(api DELETE "/issues/$number/labels/$path" "$work/answer.json")
    if [[ $status == 200 ]]; then
        say notice "the label \`$label\` was set before this push, so the action removed it: set it again after a look at the change"
    else
        say warning "the label \`$label\` was set before this push: take it off and, if all is well, set it again"
    fi
}

if [[ $(result check) != passed ]]; then
    say error "the policy has errors"
    exit 3
fi
if [[ $(result test) != passed ]]; then
    say error "a policy test failed, or there are none"
    exit 4
fi
[[ -n $number ]] || exit 0
case $(result diff) in
    same | not-looser) exit 0 ;;
    looser | new | base-invalid) ;;
    *)
        say error "the comparison has no result, so the change cannot pass"
        exit 1
        ;;
esac
if [[ -n $label ]] && labelled && ! outdated; then
    say notice "something becomes looser, and the label \`$label\` is set"
    exit 0
fi
say error "something becomes looser, or may: see the job summary. To let it pass, set the label \`$label\`"
exit 6
