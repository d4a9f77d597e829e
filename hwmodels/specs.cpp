#include "hwmodels/specs.hpp"

namespace strata {

SourceText::SourceText() = default;
SourceText::SourceText(const SourceText&) = default;
SourceText::SourceText(SourceText&&) noexcept = default;
SourceText& SourceText::operator=(const SourceText&) = default;
SourceText& SourceText::operator=(SourceText&&) noexcept = default;
SourceText::~SourceText() = default;
bool SourceText::operator==(const SourceText&) const = default;
std::strong_ordering SourceText::operator<=>(const SourceText&) const = default;

void SourceText::refuse_unknown() const {
    throw InputError(field + " is null (" + kind +
                     "): nobody has published it. Set it in the scenario's platform, or give it in the "
                     "catalogue with its source");
}

}  // namespace strata
