#!/usr/bin/env bash
# A study as a job array of a real Slurm, one task killed in the middle: what is lost is found and sent again, and the
# report is that of a study on one machine. study_test.sh FOLDER_OF_PROGRAMS. 77: Slurm is not here, or may not be started.
set -euo pipefail
PATH="$PATH:/usr/sbin"
for program in munged slurmctld slurmd sbatch squeue scancel; do
    command -v "$program" >/dev/null || { echo "skipped: no $program (tools/install-packages.sh installs it)"; exit 77; }
done
[ "$(id -u)" -eq 0 ] || { echo "skipped: only root can start a Slurm"; exit 77; }
scratch=$(mktemp -d)
cluster=$scratch/cluster
. "$(dirname "$0")/one_node_slurm.sh"
trap 'stop_slurm; rm -rf "$scratch"' EXIT
start_slurm

fail() { echo "FAILED: $*"; cat "$scratch"/*.txt "$scratch"/shared/chunks/logs/* 2>/dev/null; exit 1; }
expect() { grep -q -- "$1" "$2" || fail "expected '$1' in $2"; }

# The figures' program stays behind: drawing takes longer than all the rest.
mkdir "$scratch/bin"
cp "$1/strata" "$1/strata-simulate" "$scratch/bin"
strata=$scratch/bin/strata
export SOURCE_DATE_EPOCH=1790000000
cd "$scratch"
cat >s.yaml <<'SCENARIO'
engines: [systemc]
model: v4.1-flash
platform: {system: HGX_H200}
workload: {kind: decode, batch: 512, context: 8192}
placement: {dp: 8, ep: 8, engram: {tier: host}}
axes: [{path: workload.batch, linear: {from: 8, to: 1008, steps: 1001}}]
SCENARIO

"$strata" run s.yaml --on slurm --out shared --array-size 1000 --task-memory 100M >submitted.txt 2>&1 || fail "submit"
expect '0 of 3 chunks of 500 points are there' submitted.txt
expect 'missing: 0-2' submitted.txt
job=$(sed -n 's/submitted as job \([0-9]*\).*/\1/p' submitted.txt)
"$strata" run s.yaml --on slurm --out shared --array-size 1000 --task-memory 100M >again.txt 2>&1 || fail "submit again"
expect 'all of them wait or run already' again.txt
while ! squeue --noheader --states RUNNING --jobs "${job}_1" 2>/dev/null | grep -q .; do sleep 0.1; done
sleep 0.5
scancel --full --signal=KILL "${job}_1"
wait_for_jobs
[ -e shared/chunks/1.sqlite ] && fail "the killed task was through already"
ls shared/chunks/*.partial 2>/dev/null && fail "half a file is left"

code=0
"$strata" study merge shared >merged.txt 2>&1 || code=$?
[ "$code" -eq 1 ] || fail "merge with a chunk missing ended with $code"
expect '501 points are new' merged.txt
expect 'missing: 1' merged.txt
"$strata" study merge shared --resubmit --task-memory 100M >resubmitted.txt 2>&1 && fail "one is still missing"
expect 'submitted as job' resubmitted.txt
wait_for_jobs
"$strata" study merge shared >complete.txt 2>&1 || fail "merge"
expect '500 points are new' complete.txt
expect '3 of 3 chunks' complete.txt

"$strata" run s.yaml --out shared >shared.txt 2>shared.err || fail "report"
"$strata" run s.yaml --out alone >alone.txt 2>alone.err || fail "the same on one machine"
for file in results.csv results.json; do cmp "shared/$file" "alone/$file" || fail "$file differs"; done
cmp shared.txt alone.txt || fail "tables differ"
echo "passed"
