// What share of a memory's peak reads of scattered rows get: the bank model's answer, asked once for each size of row.
// This is how the models of banks reach a step that is otherwise made of whole fetches and kernels.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "hwmodels/dram/dram_spec.hpp"
#include "hwmodels/platform_spec.hpp"

namespace strata {

class RowEfficiency {
public:
    // `units` of the standard in `file`, each with `peak`. The file is read when the first row is asked for.
    RowEfficiency(std::string file, int units, Bandwidth peak) : file_(std::move(file)), units_(units), peak_(peak) {}

    // Of rows of so many bytes, as many in flight as the memory takes. Long rows are a stream.
    double of(Bytes row) const;
    double of_stream() const { return of(kStream); }
    const DramSpec& spec() const;
    int units() const { return units_; }

private:
    static constexpr Bytes kStream{65536};  // beyond, what row it is makes no difference

    std::string file_;
    int units_;
    Bandwidth peak_;
    mutable std::unique_ptr<DramSpec> spec_;
    mutable std::map<Bytes, double> known_;
};

// Of a platform's memories; null where no DRAM standard of the catalogue describes the part: then its datasheet's rate
// is all that is known.
std::shared_ptr<const RowEfficiency> accelerator_rows(const PlatformSpec& platform);
std::shared_ptr<const RowEfficiency> host_rows(const PlatformSpec& platform);

}  // namespace strata
