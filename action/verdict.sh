#!/usr/bin/env bash
# Ends as the review came out: 3 where the policy has errors, 4 where a test failed, 6 where something becomes looser
# and the label is not there. Whatever cannot be found out fails.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

label=${INPUT_LABEL:-}
number=$(pull_request)

# labelled: whether the pull request carries the label now. The event's payload is as old as the event, and a run can be
# repeated days later: so what counts is what GitHub says, and without its answer there is no label.
labelled() {
    local status
    status=$(api GET "/issues/$number/labels?per_page=100" "$work/labels.json")
    if [[ $status != 200 ]]; then
        say warning "the labels cannot be read (GitHub answered $status), so none is taken to be there"
        return 1
    fi
    local now before
    now=$(jq --arg wanted "$label" 'any(.[].name; ascii_downcase == ($wanted | ascii_downcase))' "$work/labels.json")
    before=$(jq --arg wanted "$label" 'any(.pull_request.labels[]?.name; ascii_downcase == ($wanted | ascii_downcase))' \
        "$GITHUB_EVENT_PATH")
    [[ $now == "$before" ]] || say notice "the label changed since the event of this run; what it is now counts"
    [[ $now == true ]]
}

# A label is set for what stood there then: after a push it is taken off, and somebody has to set it again.
outdated() {
    [[ $(event .action) == synchronize ]] || return 1
    local status path
    path=$(jq -rn --arg wanted "$label" '$wanted | @uri')
    status=$(api DELETE "/issues/$number/labels/$path" "$work/answer.json")
    if [[ $status == 200 ]]; then
        say notice "the label \`$label\` was set before this push and has been taken off"
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
        say error "what the change means is not known"
        exit 1
        ;;
esac
if [[ -n $label ]] && labelled && ! outdated; then
    say notice "something becomes looser, and the label \`$label\` is there"
    exit 0
fi
say error "something becomes looser, or may: look at the job summary. To let it pass, set the label \`$label\`"
exit 6
