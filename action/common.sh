# What the scripts of the action share. Needs bash, git, curl and jq.
# shellcheck shell=bash

# Where they leave things for each other; outside the checkout, so that no pull request can put something there.
work=${RUNNER_TEMP:?is set by the runner}/countersign
mkdir -p "$work"

# say KIND TEXT: an annotation. A line end in the text would begin another command.
say() {
    local text=$2
    text=${text//'%'/%25}
    text=${text//$'\r'/%0D}
    text=${text//$'\n'/%0A}
    printf '::%s title=countersign::%s\n' "$1" "$text"
}

# show FILE: to the log, as text. A line of it that looks like a command of the runner is none.
show() {
    [[ -s $1 ]] || return 0
    local word
    word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '::stop-commands::%s\n' "$word"
    cat -- "$1"
    printf '\n::%s::\n' "$word"
}

# event FILTER: from the payload of the event; nothing where it is not there.
event() {
    jq -r "$1 // empty" "${GITHUB_EVENT_PATH:?is set by the runner}"
}

# The number of the pull request; nothing where the event is of none.
pull_request() {
    event '.pull_request.number | numbers'
}

# result KEY [VALUE]: tells the later scripts, or what was told. Values are words of ours.
result() {
    if [[ $# -eq 2 ]]; then
        printf '%s' "$2" > "$work/result.$1"
    elif [[ -f $work/result.$1 ]]; then
        cat "$work/result.$1"
    fi
}

# api METHOD PATH OUT [BODY]: asks GitHub, and prints the status; 000 where there was no answer. The token is told to
# curl on its standard input: a process's arguments can be read by others.
api() {
    local method=$1 path=$2 out=$3 body=${4:-}
    local -a more=()
    # What writes is not tried again: it may have been done, and only the answer lost.
    if [[ $method == GET ]]; then more=(--retry 2); fi
    if [[ -n $body ]]; then more=(--data-binary "@$body"); fi
    : > "$out"
    printf 'header = "Authorization: Bearer %s"\n' "${INPUT_TOKEN:-}" |
        curl --config - --silent --connect-timeout 10 --max-time 30 --request "$method" \
            --header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28' \
            --output "$out" --write-out '%{http_code}' \
            ${more[@]+"${more[@]}"} -- "${GITHUB_API_URL:?is set by the runner}/repos/${GITHUB_REPOSITORY:?is set by the runner}$path" ||
        true
}
