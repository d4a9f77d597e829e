#!/usr/bin/env bash
# Installs into an empty root, moves it, and runs the demonstration from there: programs find their data from their own
# place. With `deb` as second word the same from the packages that CPack makes. install_test.sh BUILD_FOLDER tree|deb
set -euo pipefail
build=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
fail() { echo "FAILED: $*" >&2; exit 1; }

has_gui=false
if [ "$2" = tree ]; then
    components=(strata)
    if [ -x "$build/bin/strata-gui" ]; then has_gui=true; components+=(strata-gui); fi
    for component in "${components[@]}"; do
        DESTDIR=$scratch/root cmake --install "$build" --prefix /usr --component "$component" >/dev/null
    done
else
    # In a folder of its own: what the last run left must not be taken for what this one made.
    cpack --config "$build/CPackConfig.cmake" -G DEB -B "$scratch/packages" >cpack.log 2>&1 || { cat cpack.log >&2; fail "cpack"; }
    for package in packages/*.deb; do
        dpkg-deb --field "$package" Package Depends
        dpkg-deb -x "$package" root
    done
    dpkg-deb --field packages/strata_*.deb Depends | grep -qi qt && fail "strata depends on Qt"
    if ls packages/strata-gui_*.deb >/dev/null 2>&1; then
        has_gui=true
        dpkg-deb --field packages/strata-gui_*.deb Depends | grep -q 'strata (= ' || fail "strata-gui without strata"
    fi
fi
mv root elsewhere
usr=$scratch/elsewhere/usr
export PATH=$usr/bin:/usr/bin:/bin HOME=$scratch
unset STRATA_ROOT STRATA_CHART_JS

echo "== data are found from the program's place, not from where it was built"
strata check "$usr/share/strata/scenarios/engram-allocation.yaml"
mv "$usr/share/strata/scenarios/models/v3.yaml" kept.yaml
if strata catalog models v3 >/dev/null 2>&1; then fail "a preset that is not installed was found"; fi
mv kept.yaml "$usr/share/strata/scenarios/models/v3.yaml"

echo "== the demonstration"
strata run "$usr/share/strata/scenarios/engram-allocation.yaml" --out out
for file in report.html results.json results.csv; do [ -s "out/$file" ] || fail "no $file"; done
cmp -s <(strata catalog --json) <("$build/bin/strata" catalog --json) || fail "the catalogue is another than the tree's"
strata explain gemm_fp8 --shape m=4096,n=7168,k=16384 --json >installed.json
"$build/bin/strata" explain gemm_fp8 --shape m=4096,n=7168,k=16384 --json | cmp - installed.json || fail "another cost book"
strata run "$usr/share/strata/scenarios/examples/engram-tiers.yaml" --engine systemc --json simulated.json --quiet ||
    [ $? -eq 1 ] || fail "the simulator"

echo "== manual and completion"
MANPATH=$usr/share/man man strata | grep -q 'EXIT STATUS' || fail "no manual page"
bash -c "source $usr/share/bash-completion/completions/strata; complete -p strata" >/dev/null || fail "no completion"

if $has_gui; then
    echo "== workbench"
    ls out/*.svg >/dev/null || fail "no figures"
    desktop-file-validate "$usr/share/applications/strata-gui.desktop"
    appstreamcli validate --no-net "$usr/share/metainfo/org.strata.Workbench.metainfo.xml" >/dev/null
    [ -s "$usr/share/icons/hicolor/scalable/apps/strata-gui.svg" ] || fail "no icon"
    QT_QPA_PLATFORM=offscreen strata-gui --version
fi
