#include "sim/model/precision.hpp"

#include <cmath>

namespace strata {

const PrecisionNames& weight_precisions() {
    static const PrecisionNames names{
        {"bf16", Precision::bf16},           {"fp8_tensor", Precision::fp8_tensor}, {"fp8_block", Precision::fp8_block},
        {"fp4_block", Precision::fp4_block}, {"mxfp4", Precision::fp4_block},       {"nvfp4", Precision::nvfp4},
        {"int8", Precision::int8},           {"q4_k_m", Precision::q4_k_m},         {"two_bit", Precision::two_bit}};
    return names;
}

const PrecisionNames& activation_precisions() {
    static const PrecisionNames names{{"bf16", Precision::bf16},
                                      {"fp8_tensor", Precision::fp8_tensor},
                                      {"fp8_tile", Precision::fp8_tile},
                                      {"int8", Precision::int8}};
    return names;
}

const PrecisionNames& row_precisions() {
    static const PrecisionNames names{{"bf16", Precision::bf16},         {"fp8_tensor", Precision::fp8_tensor},
                                      {"fp8_tile", Precision::fp8_tile}, {"mxfp8", Precision::mxfp8},
                                      {"mxfp4", Precision::fp4_block},   {"nvfp4", Precision::nvfp4}};
    return names;
}

std::string_view to_string(Precision precision) {
    for (const PrecisionNames* names : {&weight_precisions(), &activation_precisions(), &row_precisions()})
        for (const auto& [name, known] : *names)
            if (known == precision) return name;
    return {};  // unreachable: each is in one of the lists
}

double row_bytes(double width, Precision precision) {
    switch (precision) {
        case Precision::bf16: return 2 * width;
        case Precision::fp8_tensor: return width;
        case Precision::fp8_tile: return width + 4 * std::ceil(width / 128);
        case Precision::fp8_block: return width * bytes_per_element(precision);  // rows of a block share its scale
        case Precision::mxfp8: return width + std::ceil(width / 32);
        case Precision::fp4_block: return std::ceil(width / 2) + std::ceil(width / 32);
        case Precision::nvfp4: return std::ceil(width / 2) + std::ceil(width / 16);
        case Precision::int8: return width;
        case Precision::two_bit:
        case Precision::q4_k_m: return width * bytes_per_element(precision);
    }
    return 0;  // unreachable: the enum is complete
}

double kv_entry_bytes(double latent_width, double rotary_width, Precision precision) {
    const bool fp4 = precision == Precision::fp4_block || precision == Precision::nvfp4;
    return fp4 ? row_bytes(latent_width + rotary_width, precision)
               : row_bytes(latent_width, precision) + row_bytes(rotary_width, Precision::bf16);
}

}  // namespace strata
