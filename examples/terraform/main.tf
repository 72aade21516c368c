# Deploys a release of the login service. Unpack the release's files into this folder first:
# variables.tf is one of them and declares each parameter of the template.
#
#     terraform apply -var brand=Example -var token_audience=https://example.com \
#         -var email_from=login@example.com

terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}

variable "architecture" {
  type        = string
  description = "The processor of the functions."
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "stack_name" {
  type        = string
  description = "The name of the CloudFormation stack. The names of the functions begin with it."
  default     = "login-with-otp"
}

locals {
  login    = "login-with-otp-${var.architecture}.zip"
  validate = "validate-otp-${var.architecture}.zip"
  # A key has the digest of its file, so a new release is a change of the stack.
  key = { for name in [local.login, local.validate, "alarms.yaml", "pipe.yaml"] : name => "${filesha256("${path.module}/${name}")}/${name}" }

  bucket = aws_s3_bucket.release.id
  nested = "https://${aws_s3_bucket.release.bucket_regional_domain_name}"
  template = replace(replace(replace(replace(
    file("${path.module}/template-${var.architecture}.yaml"),
    "CodeUri: ${local.login}", "CodeUri: s3://${local.bucket}/${local.key[local.login]}"),
    "CodeUri: ${local.validate}", "CodeUri: s3://${local.bucket}/${local.key[local.validate]}"),
    "TemplateURL: alarms.yaml", "TemplateURL: ${local.nested}/${local.key["alarms.yaml"]}"),
  "TemplateURL: pipe.yaml", "TemplateURL: ${local.nested}/${local.key["pipe.yaml"]}")
}

resource "aws_s3_bucket" "release" {
  bucket_prefix = "${var.stack_name}-release-"
}

resource "aws_s3_object" "file" {
  for_each = local.key
  bucket   = local.bucket
  key      = each.value
  source   = "${path.module}/${each.key}"
}

# CloudFormation reads a template of this size from a bucket only.
resource "aws_s3_object" "template" {
  bucket  = local.bucket
  key     = "${sha256(local.template)}/template.yaml"
  content = local.template
}

resource "aws_cloudformation_stack" "login" {
  name         = var.stack_name
  template_url = "https://${aws_s3_bucket.release.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  parameters   = local.parameters
  # The template has roles, a macro (AWS::Serverless) and a nested stack.
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  depends_on   = [aws_s3_object.file]
}

output "api_url" {
  value = aws_cloudformation_stack.login.outputs["ApiUrl"]
}

output "issuer" {
  value = aws_cloudformation_stack.login.outputs["Issuer"]
}
