# Sourced. start_engine: a Docker engine, which root may start here for the time of a script. The
# script says in not_run what ends it without one, has $work, and ends $processes, the last one first.

start_engine() {
    command -v docker >/dev/null || not_run "There is no docker command."
    timeout 20 docker info >/dev/null 2>&1 && return
    command -v dockerd >/dev/null || not_run "No Docker engine answers, and there is no dockerd."
    [[ $(id -u) == 0 ]] || not_run "No Docker engine answers, and only root may start one."
    engine=$(mktemp -d)
    export DOCKER_HOST=unix://$engine/socket
    dockerd --host "$DOCKER_HOST" --data-root "$OTP_TOOLS/docker" --exec-root "$engine/exec" \
        --pidfile "$engine/pid" >"$work/engine.log" 2>&1 &
    processes+=("$!")
    for _ in $(seq 150); do
        timeout 20 docker info >/dev/null 2>&1 && return
        kill -0 "${processes[0]}" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 20 "$work/engine.log" >&2
    not_run "No Docker engine answers, and dockerd does not start."
}

tear_down() {
    local status=$? at
    for ((at = ${#processes[@]} - 1; at >= 0; at--)); do # the engine last: it was first
        kill "${processes[at]}" 2>/dev/null && wait "${processes[at]}" 2>/dev/null || true
    done
    rm -rf "${engine:-}"
    exit "$status"
}
