#!/usr/bin/env bash
# Keeps one comment on the pull request: updates it, or posts it if there is none. The comment is optional. If it cannot
# be written, the log says so and the job goes on.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

author=${INPUT_COMMENT_AUTHOR:-github-actions[bot]}
comment=$work/comment.md
number=$(pull_request)
if [[ -z $number || ! -f $comment ]]; then
    exit 0
fi

gone() { # gone STATUS: says why there is no comment, and ends
    if [[ $1 == 403 || $1 == 404 || $1 == 401 ]]; then
        say notice "the comment was skipped: the token may not write it, as on a pull request from a fork. The job summary has everything"
    else
        say warning "the comment was skipped: GitHub answered $1. The job summary has everything"
    fi
    exit 0
}

# GitHub accepts 65,536 characters. A longer comment is cut between lines, and its open <details> are closed.
jq -n --rawfile text "$comment" '
    def closed: . + ("\n</details>\n" * ([(split("<details") | length) - (split("</details>") | length), 100] | min) // "");
    {body: (if ($text | length) <= 65000 then $text
        else ($text[:63000] | .[:(rindex("\n") // 63000)] | closed)
            + "\n\nThe comment is cut here because GitHub accepts no longer one. The job summary has the rest.\n" end)}
' > "$work/comment.json"

# Finds our comment by its first line and its author, since anybody can write the first line.
own=
for ((page = 1; page <= 100; page++)); do
    status=$(api GET "/issues/$number/comments?per_page=100&page=$page" "$work/page.json")
    [[ $status == 200 ]] || gone "$status"
    own=$(jq -r --arg author "$author" '
        [.[] | select(.user.login == $author and ((.body // "") | startswith("<!-- countersign-diff -->")))]
        | first | .id // empty' "$work/page.json")
    [[ -z $own && $(jq length "$work/page.json") -eq 100 ]] || break
done

if [[ -n $own ]]; then
    status=$(api PATCH "/issues/comments/$own" "$work/answer.json" "$work/comment.json")
elif [[ $(result diff) == same ]]; then
    # The policy is unchanged, and no earlier comment needs an update.
    exit 0
else
    status=$(api POST "/issues/$number/comments" "$work/answer.json" "$work/comment.json")
fi
[[ $status == 20[01] ]] || gone "$status"
