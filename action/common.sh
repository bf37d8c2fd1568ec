# Functions that the action's scripts share. Needs bash, git, curl and jq.
# shellcheck shell=bash

# The scripts leave files for each other here. It is outside the checkout, so that a pull request cannot add files.
work=${RUNNER_TEMP:?is set by the runner}/countersign
mkdir -p "$work"

# say KIND TEXT: writes an annotation. The text is escaped, since a line feed would begin another command.
say() {
    local text=$2
    text=${text//'%'/%25}
    text=${text//$'\r'/%0D}
    text=${text//$'\n'/%0A}
    printf '::%s title=countersign::%s\n' "$1" "$text"
}

# show FILE: prints a file to the log. The runner ignores commands in it.
show() {
    [[ -s $1 ]] || return 0
    local word
    word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '::stop-commands::%s\n' "$word"
    cat -- "$1"
    printf '\n::%s::\n' "$word"
}

# event FILTER: prints a value of the event's payload, or nothing if there is none.
event() {
    jq -r "$1 // empty" "${GITHUB_EVENT_PATH:?is set by the runner}"
}

# Prints the number of the event's pull request, or nothing if it has none.
pull_request() {
    event '.pull_request.number | numbers'
}

# result KEY [VALUE]: stores a value for later scripts, or prints the stored one. Values are words from these scripts.
result() {
    if [[ $# -eq 2 ]]; then
        printf '%s' "$2" > "$work/result.$1"
    elif [[ -f $work/result.$1 ]]; then
        cat "$work/result.$1"
    fi
}

# api METHOD PATH OUT [BODY]: calls GitHub and prints the status, or 000 without an answer. curl reads the token from its
# standard input, because other processes can read a process's arguments.
api() {
    local method=$1 path=$2 out=$3 body=${4:-}
    local -a more=()
    # Writes are not retried: GitHub may have done the work, and only the answer was lost.
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
