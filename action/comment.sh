#!/usr/bin/env bash
# Keeps one comment on the pull request: writes it anew where it is there, and posts it else. A comment is a courtesy:
# that it cannot be written is said, and fails nothing.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

author=${INPUT_COMMENT_AUTHOR:-github-actions[bot]}
comment=$work/comment.md
number=$(pull_request)
if [[ -z $number || ! -f $comment ]]; then
    exit 0
fi

gone() { # gone STATUS: why the comment is not there
    if [[ $1 == 403 || $1 == 404 || $1 == 401 ]]; then
        say notice "the comment was skipped: the token may not write it, as on a pull request from a fork. The job summary has all of it"
    else
        say warning "the comment was skipped: GitHub answered $1. The job summary has all of it"
    fi
    exit 0
}

# GitHub takes 65,536 characters. What is cut is cut between lines, and what is folded there is closed.
jq -n --rawfile text "$comment" '
    def closed: . + ("\n</details>\n" * ([(split("<details") | length) - (split("</details>") | length), 100] | min) // "");
    {body: (if ($text | length) <= 65000 then $text
        else ($text[:63000] | .[:(rindex("\n") // 63000)] | closed)
            + "\n\nThe comment is cut here: GitHub takes no longer one. The job summary has the rest.\n" end)}
' > "$work/comment.json"

# The first comment that is ours: by its first line, which anybody can write, and by who wrote it.
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
    # Nothing changes, and nothing was said before that must be taken back.
    exit 0
else
    status=$(api POST "/issues/$number/comments" "$work/answer.json" "$work/comment.json")
fi
[[ $status == 20[01] ]] || gone "$status"
